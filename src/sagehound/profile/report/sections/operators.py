"""The operators that torch.profiler saw."""

from __future__ import annotations

from typing import Any

from sagehound.pages.markup import Child, Html, element, markup
from sagehound.pages.pieces import note, part, section, table
from sagehound.pages.units import count, duration
from sagehound.profile.report.material import Material

_HEAD = ("Operator", "Share", "Own time", "With children", "Calls", "A call")
_SHOWN = 15


def operators(material: Material) -> Html:
    """The dearest of each device."""
    title = "Operators"
    rows = [row for row in material.profile.operators.to_pylist() if row["self_s"] is not None and row["self_s"] >= 0]
    if not rows:
        why = "No operators were recorded. They are for the steps that a request names: "
        asked = element("code", "FrameworkProfile(num_steps=10)")
        return section("operators", title, note(why, asked, "."))
    devices = sorted({row["device"] for row in rows})
    return section(
        "operators",
        title,
        note(
            "Own time is without the operators that one calls. ",
            element("a", "The traces", href="#traces"),
            " have every call of the same steps.",
        ),
        [_device(device, [row for row in rows if row["device"] == device]) for device in devices],
    )


def _device(device: str, rows: list[dict[str, Any]]) -> Html:
    whole = sum(row["self_s"] for row in rows)
    dearest = sorted(rows, key=lambda row: -row["self_s"])
    name = {"cpu": "CPU", "cuda": "GPU"}.get(device, device)
    rest = len(rows) - _SHOWN
    return markup(
        table(f"Operators on the {name}", _HEAD, (_row(row, whole) for row in dearest[:_SHOWN])),
        note(f"And {count(rest, 'operator')} of less.") if rest > 0 else None,
    )


def _row(row: dict[str, Any], whole: float) -> list[Child]:
    name: Child = element("code", row["name"])
    if row["stack"]:
        name = markup(name, element("div", row["stack"].replace("\n", " ‹ ")[:300], class_="stack"))
    each = duration(row["total_s"] / row["calls"]) if row["calls"] else "–"
    return [
        name,
        part(row["self_s"], whole),
        duration(row["self_s"]),
        duration(row["total_s"]),
        f"{row['calls']:,}",
        each,
    ]
