"""How long each step took, over time."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Range1d

from sagehound.errors import InvalidInput
from sagehound.profile.notebook.algorithm_metrics_reader import AlgorithmMetricsReader
from sagehound.profile.notebook.chart import Chart
from sagehound.profile.notebook.look import COLOURS, hover, legend_beside, over_time
from sagehound.profile.notebook.trace_event import TraceEvent

#: Of more steps than these, the longest are shown and of the others every so many.
_POINTS = 20_000


class StepTimelineChart(Chart):
    """The duration of steps in milliseconds, each mode a line of its own. `width` is how many steps are in view at
    first, the last ones."""

    def __init__(self, metrics_reader: AlgorithmMetricsReader, width: int = 1000) -> None:
        self.metrics_reader, self.width = metrics_reader, width
        self.last_timestamp: float = metrics_reader.get_timestamp_of_latest_available_file()
        self._steps = self._read(self.last_timestamp)
        if not self._steps:
            raise InvalidInput(
                "the timeline has no steps yet: wait_for_framework_profiling_data_to_be_available() waits"
            )
        self.create_plot()
        self.show()

    def create_plot(self) -> None:
        """Make `figure` of what was read."""
        first, last = self._in_view()
        self._range, self._heights = Range1d(start=first, end=last), Range1d(start=0, end=self._top())
        self.figure = over_time(
            "Duration of steps",
            "ms",
            height=280,
            x_range=self._range,
            y_range=self._heights,
            tools="xpan,xwheel_zoom,ywheel_zoom,box_zoom,reset,save",
        )
        self.sources = {name: ColumnDataSource(_points(steps)) for name, steps in self._by_name().items()}
        for place, (name, source) in enumerate(self.sources.items()):
            label = name.replace("Step:ModeKeys.", "")
            look = {"color": COLOURS[place % len(COLOURS)], "legend_label": label, "source": source}
            self.figure.line("x", "y", line_width=1, alpha=0.6, **look)
            dots = self.figure.scatter("x", "y", size=4, alpha=0.9, name=label, **look)
            self.figure.add_tools(
                hover([dots], (label, "step @step"), ("time", "@x{%H:%M:%S.%3N}"), ("took", "@y{0,0.00} ms"))
            )
        self.figure.toolbar.active_scroll = self.figure.tools[1]
        legend_beside(self.figure)

    def update_data(self, current_timestamp: float) -> None:
        """Show what has come up to a time, in microseconds since the epoch."""
        self.metrics_reader.refresh_event_file_list()
        self._steps, self.last_timestamp = self._read(current_timestamp), current_timestamp
        for name, steps in self._by_name().items():
            if name in self.sources:
                self.sources[name].data = _points(steps)
        self._range.start, self._range.end = self._in_view()
        self._heights.end = self._top()
        self.push()

    def _read(self, until_us: float) -> list[TraceEvent]:
        events = self.metrics_reader.get_events(0, until_us)
        return [event for event in events if event.event_name.startswith("Step")]

    def _by_name(self) -> dict[str, list[TraceEvent]]:
        found: dict[str, list[TraceEvent]] = {}
        nodes = len({event.node_id for event in self._steps})
        for event in self._steps:
            name = f"{event.event_name} {event.node_id}" if nodes > 1 else event.event_name
            found.setdefault(name, []).append(event)
        return found

    def _in_view(self) -> tuple[float, float]:
        first = self._steps[-min(len(self._steps), self.width)]
        return first.start_time / 1e3, self._steps[-1].end_time / 1e3

    def _top(self) -> float:
        return 1.05 * max(event.duration for event in self._steps[-self.width :]) / 1e3


def _points(steps: list[TraceEvent]) -> dict[str, Any]:
    times = np.array([event.duration for event in steps])
    kept = np.arange(len(steps))
    if len(steps) > _POINTS:
        longest = np.argpartition(times, -_POINTS // 2)[-_POINTS // 2 :]
        kept = np.union1d(kept[:: 2 * len(steps) // _POINTS + 1], longest)
    return {
        "x": np.array([steps[place].start_time / 1e3 for place in kept]),
        "y": times[kept] / 1e3,
        "step": np.array([steps[place].step for place in kept]),
    }
