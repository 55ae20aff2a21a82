"""The events of a timeline as bars, a row for each kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.models import ColumnDataSource

from sagehound.profile.notebook.look import COLOURS, PHASES, hover, over_time
from sagehound.profile.notebook.phase_shares import phase_of
from sagehound.profile.notebook.trace_event import TraceEvent

#: More bars than these nobody tells apart, and a page gets slow.
_BARS = 5000


def phase_rows(events: Sequence[TraceEvent]) -> Any:  # noqa: ANN401 - a Bokeh figure
    """Bars over time; of more than 5000 events the longest."""
    shown = sorted(events, key=lambda event: -event.duration)[:_BARS]
    rows = list(dict.fromkeys(event.event_phase for event in sorted(shown, key=lambda event: event.start_time)))
    title = f"{len(shown)} longest of {len(events)} events" if len(shown) < len(events) else f"{len(events)} events"
    made = over_time(title, "", height=90 + 26 * max(1, len(rows)), y_range=list(reversed(rows)))
    source = ColumnDataSource(
        {
            "left": [event.start_time / 1e3 for event in shown],
            "right": [event.end_time / 1e3 for event in shown],
            "row": [event.event_phase for event in shown],
            "name": [event.shown_name for event in shown],
            "step": [event.step if event.step >= 0 else "" for event in shown],
            "ms": [event.duration / 1e3 for event in shown],
            "colour": [PHASES.get(phase_of(event)) or COLOURS[rows.index(event.event_phase) % 10] for event in shown],
        }
    )
    bars = made.hbar(y="row", left="left", right="right", height=0.7, color="colour", alpha=0.85, source=source)
    made.add_tools(hover([bars], ("", "@name"), ("step", "@step"), ("took", "@ms{0,0.00} ms")))
    return made
