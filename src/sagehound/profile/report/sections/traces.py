"""Where the traces lie, and how they are opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from sagehound.pages.markup import Child, Html, element
from sagehound.pages.pieces import note, section, table
from sagehound.pages.units import count
from sagehound.profile.report.material import Material
from sagehound.profile.trace_format import DETAILED_FOLDER

#: Where a profile lies below its job's output, seen from a report: rule-output/<rule>/profiler-output.
BESIDE = "../../../profiler-output"
_SHOWN = 8


def traces(material: Material) -> Html:
    """Links to the Chrome traces, operators first, with their places in full."""
    names = sorted(material.profile.traces, key=lambda name: (not name.startswith(DETAILED_FOLDER), name))
    if not names:
        return section("traces", "Traces", note("No trace was recorded: no step of a training was seen."))
    rest = len(names) - _SHOWN
    folders = ", ".join(sorted({name.split("/")[1] for name in names[_SHOWN:]}))
    return section(
        "traces",
        "Traces",
        note(
            "A trace shows every step on one time line, one of operators every call. To look at one, open Perfetto "
            "(ui.perfetto.dev) in a browser and drag the file into it; Chrome's own chrome://tracing takes it too, "
            "where it is switched on. This page opens neither: nothing of yours leaves this machine before you drag it."
        ),
        table("Trace files", ("Trace", "Place"), (_row(name, material.source) for name in names[:_SHOWN]), range(0)),
        _fetching(names, material.source),
        note(f"And {count(rest, 'file')} more below framework/{folders}.") if rest > 0 else None,
    )


def _row(name: str, source: str | None) -> Sequence[Child]:
    what = "operators" if name.startswith(DETAILED_FOLDER) else "steps and phases"
    place = f"{source or BESIDE}/{name}"
    return element("a", what, href=_address(name, source)), element("code", place, class_="place")


def _address(name: str, source: str | None) -> str:
    """Of a file on this machine in full, so that a copied report finds it too; else beside a report that was fetched
    with all of its job."""
    if source is None or source.startswith("s3://"):
        return f"{BESIDE}/{quote(name)}"
    return Path(source, name).absolute().as_uri()


def _fetching(names: Sequence[str], source: str | None) -> Html | None:
    if source is None or not source.startswith("s3://"):
        return None
    fetched = f"aws s3 cp {source}/{names[0]} ."
    return note(
        "The links lead to files of a job that was fetched as a whole. One file alone: ", element("code", fetched)
    )
