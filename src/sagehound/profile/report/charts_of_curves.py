"""The losses and metrics over time."""

from __future__ import annotations

import math

import numpy as np
import pyarrow.compute as pc

from sagehound.profile.profile import Profile
from sagehound.profile.report.chart import Chart, Line, line

#: So many lines a chart, and so many charts of metrics: more would not be read.
LINES, CHARTS = 6, 4
_INKS = (1, 0, 3, 2, 7, 4)


def curve_charts(profile: Profile, span: tuple[float, float]) -> tuple[Chart, ...]:
    """One chart of the losses, and one for each size of the other metrics."""
    groups: dict[str, list[tuple[str, np.ndarray, np.ndarray]]] = {}
    for name, at_s, values in _curves(profile):
        groups.setdefault(_group(name, values), []).append((name, at_s, values))
    found = []
    for place, (group, curves) in enumerate(sorted(groups.items())[:CHARTS]):
        drawn = [line(n, t, v, _INKS[i % len(_INKS)], span, joined=True) for i, (n, t, v) in enumerate(curves[:LINES])]
        lines = tuple(each for each in drawn if each is not None)
        if lines:
            title = "Loss" if group == "0" else "Metrics" if len(groups) < 3 else f"Metrics, part {place}"
            found.append(_chart(f"curves{place}", title, lines, _left_out(curves), span))
    return tuple(found)


def undrawn(profile: Profile) -> int:
    """How many metrics are in no chart, because there are too many."""
    sizes: dict[str, int] = {}
    for name, _, values in _curves(profile):
        group = _group(name, values)
        sizes[group] = sizes.get(group, 0) + 1
    drawn = sum(min(size, LINES) for _, size in sorted(sizes.items())[:CHARTS])
    return sum(sizes.values()) - drawn


def _chart(key: str, title: str, lines: tuple[Line, ...], note: str, span: tuple[float, float]) -> Chart:
    low, high = min(float(each.low.min()) for each in lines), max(float(each.high.max()) for each in lines)
    logarithmic = low > 0 and high / low > 100
    note = f"Logarithmic scale. {note}".strip() if logarithmic else note
    return Chart(key, title, "", lines, logarithmic=logarithmic, note=note, from_zero=low < 0.5 * high, span=span)


def _curves(profile: Profile) -> list[tuple[str, np.ndarray, np.ndarray]]:
    found = []
    for name in profile.curves["name"].unique().to_pylist():
        rows = profile.curves.filter(pc.equal(profile.curves["name"], name))
        found.append((str(name), rows["timestamp_s"].to_numpy(), rows["value"].to_numpy()))
    return found


def _group(name: str, values: np.ndarray) -> str:
    """Losses come first; others stand with those of their own size."""
    if "loss" in name.lower():
        return "0"
    known = np.abs(values[np.isfinite(values)])
    size = float(known.max()) if len(known) else 0.0
    return "1" if size <= 1.0 else f"{2 + math.ceil(math.log10(size)):03d}"


def _left_out(curves: list[tuple[str, np.ndarray, np.ndarray]]) -> str:
    broken = [(name, int((~np.isfinite(values)).sum())) for name, _, values in curves]
    return " ".join(f"{n} of the values of {name} are no numbers (NaN or infinite)." for name, n in broken if n)
