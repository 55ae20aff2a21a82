"""How often each utilisation was seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.layouts import gridplot
from bokeh.models import ColumnDataSource

from sagehound.profile.notebook.chart import Chart
from sagehound.profile.notebook.look import COLOURS, hover, plot
from sagehound.profile.notebook.metrics import Metric, metrics_of
from sagehound.profile.notebook.system_metrics_reader import SystemMetricsReader
from sagehound.profile.series import Floats

_BINS = 50


class MetricsHistogram(Chart):
    """A histogram for each core, device and part, and for their mean. `plot` draws them."""

    def __init__(self, metrics_reader: SystemMetricsReader) -> None:
        self.metrics_reader = metrics_reader
        self.sources: dict[str, dict[str, ColumnDataSource]] = {}
        self._asked: tuple[Any, ...] = ()
        self._metrics: list[Metric] = []

    def plot(
        self,
        starttime: float = 0,
        endtime: float | None = None,
        select_dimensions: Sequence[str] = (".*",),
        select_events: Sequence[str] = (".*",),
        show_workers: bool = True,
    ) -> None:
        """Draw the samples from `starttime` to `endtime` (microseconds since the epoch; None: to the last).
        `select_dimensions` and `select_events` are regular expressions."""
        self._asked = (starttime, select_dimensions, select_events, show_workers)
        self._read(endtime)
        self.create_plot()
        self.show()

    def clear(self) -> None:
        """Forget what was drawn."""
        self.sources, self._metrics, self.figure, self.target = {}, [], None, None

    def create_plot(self) -> None:
        """Make `figure` of what was read."""
        plots = [self._histogram(metric, name) for metric in self._metrics for name in metric.series]
        self.figure = gridplot(plots, ncols=min(3, len(plots)), toolbar_options={"logo": None})

    def update_data(self, current_timestamp: float) -> None:
        """Count what has come up to a time, in microseconds since the epoch."""
        self.metrics_reader.refresh_event_file_list()
        self._read(current_timestamp)
        for metric in self._metrics:
            for name in metric.series:
                if source := self.sources.get(metric.label, {}).get(name):
                    source.data = _counted(metric, name)
        self.push()

    def _read(self, endtime: float | None) -> None:
        starttime, *asked = self._asked
        self._metrics = metrics_of(self.metrics_reader.table(starttime, endtime), *asked)

    def _histogram(self, metric: Metric, name: str) -> Any:  # noqa: ANN401
        unit, _ = metric.unit
        source = ColumnDataSource(_counted(metric, name))
        self.sources.setdefault(metric.label, {})[name] = source
        made = plot(f"{metric.dimension} {name}", height=210, width=330, tools="xwheel_zoom,reset,save")
        bars = made.quad(
            top="top", bottom=0, left="left", right="right", source=source, color=COLOURS[0], alpha=0.75, line_width=0
        )
        made.y_range.start = 0
        made.xaxis.axis_label = f"{unit or 'value'}{f', {metric.node}' if metric.node else ''}"
        made.yaxis.axis_label = "samples"
        made.add_tools(hover([bars], (unit or "value", "@left{0,0.0} to @right{0,0.0}"), ("samples", "@top")))
        return made


def _counted(metric: Metric, name: str) -> dict[str, Floats]:
    unit, divisor = metric.unit
    values = metric.series[name].values / divisor
    values = values[np.isfinite(values)]
    counts, edges = np.histogram(values, bins=_BINS, range=(0.0, 100.0) if unit == "%" else None)
    return {"top": counts, "left": edges[:-1], "right": edges[1:]}
