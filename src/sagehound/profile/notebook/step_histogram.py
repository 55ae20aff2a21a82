"""How long steps and their phases took, and how often."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.layouts import gridplot
from bokeh.models import ColumnDataSource

from sagehound.errors import InvalidInput
from sagehound.profile.notebook.algorithm_metrics_reader import AlgorithmMetricsReader
from sagehound.profile.notebook.chart import Chart
from sagehound.profile.notebook.look import COLOURS, hover, plot
from sagehound.profile.series import Floats

_BINS = 50
_EVERY = ("Step:ModeKeys", "Forward-node", r"Backward\(post-forward\)-node")


class StepHistogram(Chart):
    """A histogram of durations, in milliseconds, for each row of the timeline. `plot` draws them."""

    def __init__(self, metrics_reader: AlgorithmMetricsReader, width: int = 500) -> None:
        """`width` is taken as the original takes it, and has no effect (nor there)."""
        self.metrics_reader = metrics_reader
        self.sources: dict[str, ColumnDataSource] = {}
        self.step_metrics: dict[str, list[float]] = {}
        self.last_timestamp: float = metrics_reader.get_timestamp_of_latest_available_file()

    def plot(
        self,
        starttime: float = 0,
        endtime: float | None = None,
        select_metrics: Sequence[str] = _EVERY,
        show_workers: bool = True,
    ) -> None:
        """Draw what happened from `starttime` to `endtime` (microseconds since the epoch; None: to the last).
        `select_metrics` are regular expressions, found in "Forward-nodeid:algo-1"; without `show_workers` all nodes are
        counted together as "Forward"."""
        self.metrics_reader.refresh_event_file_list()
        self._patterns, self._by_node, self._start_us = select_metrics, show_workers, starttime
        self.step_metrics = self._read(endtime)
        self.create_plot()
        self.show()

    def clear(self) -> None:
        """Forget what was drawn."""
        self.step_metrics, self.sources, self.figure, self.target = {}, {}, None, None

    def create_plot(self) -> None:
        """Make `figure` of what was read."""
        self.sources = {name: ColumnDataSource(_counted(times)) for name, times in self.step_metrics.items()}
        plots = [self._histogram(name) for name in self.step_metrics]
        self.figure = gridplot(plots, ncols=min(2, len(plots)), toolbar_options={"logo": None})

    def update_data(self, current_timestamp: float) -> None:
        """Count what has come up to a time, in microseconds since the epoch."""
        self.metrics_reader.refresh_event_file_list()
        self.step_metrics = self._read(current_timestamp)
        for name, times in self.step_metrics.items():
            if name in self.sources:
                self.sources[name].data = _counted(times)
        self.push()

    def _read(self, endtime: float | None) -> dict[str, list[float]]:
        """Milliseconds by name."""
        latest_us = self.metrics_reader.get_timestamp_of_latest_available_file()
        self.last_timestamp = latest_us if endtime is None else endtime
        every: dict[str, list[float]] = {}
        for event in self.metrics_reader.get_events(self._start_us, self.last_timestamp):
            name = f"{event.event_phase}-nodeid:{event.node_id}" if self._by_node else event.event_phase
            every.setdefault(name, []).append(event.duration / 1000)
        # Without nodes the patterns that end in "-node" still mean what they mean with them.
        kept = {name: every[name] for name in sorted(every, key=self._place) if self._wanted(name)}
        if not kept:
            known = ", ".join(sorted(every)) or "no events at all"
            raise InvalidInput(f"{list(self._patterns)} is found in none of the timeline's rows: there are {known}")
        return kept

    def _place(self, name: str) -> tuple[int, str]:
        """Where a row is among the patterns."""
        return next((at for at, p in enumerate(self._patterns) if re.search(p, name)), len(self._patterns)), name

    def _wanted(self, name: str) -> bool:
        return any(re.search(p, name) or re.search(p.removesuffix("-node"), name) for p in self._patterns)

    def _histogram(self, name: str) -> Any:  # noqa: ANN401
        times = np.array(self.step_metrics[name])
        made = plot(name.replace("-nodeid:", ", "), height=240, width=480, tools="xwheel_zoom,xpan,reset,save")
        bars = made.quad(
            top="top", bottom=0, left="left", right="right", source=self.sources[name], color=COLOURS[0], alpha=0.75
        )
        made.y_range.start = 0
        beyond = " and more in the last bar" if times.max() > _limit(times) else ""
        made.xaxis.axis_label = f"ms{beyond} (median {np.median(times):,.2f}, longest {times.max():,.2f})"
        made.yaxis.axis_label = "events"
        made.add_tools(hover([bars], ("ms", "@left{0,0.00} to @right{0,0.00}"), ("events", "@top")))
        return made


def _limit(times: Floats) -> float:
    return float(np.median(times) + 2 * times.std())


def _counted(times_ms: Sequence[float]) -> dict[str, Floats]:
    """The last bin has all that took longer than the median and two standard deviations, up to the longest."""
    times = np.array(times_ms)
    limit = _limit(times)
    counts, edges = np.histogram(np.minimum(times, limit), bins=_BINS)
    edges[-1] = max(edges[-1], limit)
    return {"top": counts, "left": edges[:-1], "right": edges[1:]}
