"""What a machine did over time, with what the training did below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.layouts import column, gridplot
from bokeh.models import ColumnDataSource, CustomJS, Range1d, WheelZoomTool
from bokeh.models.widgets import Div

from sagehound.profile.downsample import extremes
from sagehound.profile.notebook.algorithm_metrics_reader import AlgorithmMetricsReader
from sagehound.profile.notebook.chart import Chart
from sagehound.profile.notebook.look import COLOURS, INK, PHASES, hover, legend_beside, over_time
from sagehound.profile.notebook.metrics import TOTAL, Metric, metrics_of
from sagehound.profile.notebook.phase_rows import phase_rows
from sagehound.profile.notebook.phase_shares import phase_shares
from sagehound.profile.notebook.system_metrics_reader import SystemMetricsReader
from sagehound.profile.notebook.time_units import TimeUnits
from sagehound.profile.series import Floats, Series

_EVERY = (".*",)
#: A line has no more points than this; the highest and the lowest of each stretch are among them.
_POINTS = 4000
_SAY = """
    const indexes = source.selected.indices;
    if (indexes.length == 0) { div.text = hint; return; }
    const first = Math.min(...indexes), last = Math.max(...indexes);
    const time = (at) => new Date(source.data.x[at]).toISOString().slice(11, 23);
    div.text = `Selected: indexes ${first} to ${last}, ${time(first)} to ${time(last)} UTC`;
"""
_HINT = "Drag over a chart with the box tool to select a stretch of time; the wheel zooms all charts together."


class TimelineCharts(Chart):
    """One chart a dimension and node, its cores or devices as lines with their mean; below them the share of each
    phase in the steps' time, where there is a timeline. All share the axis of time.

    `starttime` and `endtime` are microseconds since the epoch; `x` is how many samples are in view at first, the last
    ones. `select_dimensions` and `select_events` are regular expressions ("CPU", "cpu0|total").
    """

    def __init__(
        self,
        system_metrics_reader: SystemMetricsReader,
        framework_metrics_reader: AlgorithmMetricsReader | None = None,
        starttime: float = 0,
        endtime: float | None = None,
        select_dimensions: Sequence[str] = _EVERY,
        select_events: Sequence[str] = _EVERY,
        x: int = 1000,
        show_workers: bool = True,
    ) -> None:
        self.system_metrics_reader = system_metrics_reader
        self.framework_metrics_reader = framework_metrics_reader
        self.select_dimensions, self.select_events = select_dimensions, select_events
        self.show_workers, self.width = show_workers, x
        self.sources: dict[str, dict[str, ColumnDataSource]] = {}
        self._start_us, self._end_us = starttime, endtime
        self._metrics = self._read()
        self.figures: list[Any] = []
        self.create_plot()
        self.show()

    def create_plot(self) -> None:
        """Make `figure` of what was read."""
        first, last = self._in_view()
        self._range = Range1d(start=first, end=last)
        self.div = Div(text=_HINT, styles={"color": INK, "font-size": "12px"})
        phases = self._phases()
        self.figures = [self._chart(metric) for metric in self._metrics] + ([phases] if phases else [])
        self.figures[-1].xaxis.axis_label = "time (UTC)"
        for each in self.figures:
            each.toolbar.active_scroll = each.select_one(WheelZoomTool)
        charts = gridplot(self.figures, ncols=1, toolbar_location="above", toolbar_options={"logo": None})
        self.figure = column(self.div, charts)

    def update_data(self, current_timestamp: float) -> None:
        """Show what has come up to a time, in microseconds since the epoch."""
        self._end_us = current_timestamp
        self.system_metrics_reader.refresh_event_file_list()
        self._metrics = self._read()
        for metric in self._metrics:
            for name, series in metric.series.items():
                source = self.sources.get(metric.label, {}).get(name)
                if source is not None:
                    source.data = _points(metric, series)
        self._range.start, self._range.end = self._in_view()
        self.push()

    def find_time_annotations(self, indexes: Sequence[int]) -> dict[str, float]:
        """Milliseconds spent in each event of the timeline while the selected samples were taken; also printed."""
        span = self._selected(indexes)
        if span is None or self.framework_metrics_reader is None:
            return {}
        spent: dict[str, float] = {}
        for event in self.framework_metrics_reader.get_events(*span, unit=TimeUnits.SECONDS):
            name = event.event_name if event.step < 0 else f"{event.event_name}_{event.step}"
            spent[name] = spent.get(name, 0.0) + event.duration / 1000
        for name, time_ms in spent.items():
            print(f"Spent {time_ms:.2f} ms (cumulative time) in {name}")
        return spent

    def plot_detailed_profiler_data(self, indexes: Sequence[int]) -> Chart | None:
        """Chart the events of the timeline while the selected samples were taken, a row for each kind."""
        span = self._selected(indexes)
        if span is None or self.framework_metrics_reader is None:
            return None
        detail = Chart()
        detail.figure = phase_rows(self.framework_metrics_reader.get_events(*span, unit=TimeUnits.SECONDS))
        detail.show()
        return detail

    def _read(self) -> list[Metric]:
        samples = self.system_metrics_reader.table(self._start_us, self._end_us)
        return metrics_of(samples, self.select_dimensions, self.select_events, self.show_workers)

    def _in_view(self) -> tuple[float, float]:
        """The time of the first and the last sample that are shown at first, in milliseconds."""
        times = [series.at_s for metric in self._metrics for series in metric.series.values()]
        return min(float(at_s[-min(len(at_s), self.width)]) for at_s in times) * 1e3, max(
            float(t[-1]) for t in times
        ) * 1e3

    def _chart(self, metric: Metric) -> Any:  # noqa: ANN401
        unit, _ = metric.unit
        title = f"{metric.dimension}, {metric.node}" if metric.node else metric.dimension
        made = over_time(
            title,
            unit,
            height=170,
            last=False,
            x_range=self._range,
            tools="xbox_select,xpan,xwheel_zoom,xbox_zoom,reset,save",
        )
        if unit == "%":
            made.y_range = Range1d(start=0, end=102)
        else:
            made.y_range.start = 0
            made.y_range.min_interval = 1e-9
        own = self.sources[metric.label] = {}
        lines = []
        for place, (name, series) in enumerate(metric.series.items()):
            source = own[name] = ColumnDataSource(_points(metric, series))
            source.selected.js_on_change(
                "indices", CustomJS(args={"source": source, "div": self.div, "hint": _HINT}, code=_SAY)
            )
            whole = name == TOTAL
            colour = INK if whole and len(metric.series) > 1 else COLOURS[place % len(COLOURS)]
            look = {"line_color": colour, "line_width": 2.2 if whole else 1.2, "line_alpha": 1.0 if whole else 0.8}
            lines.append(
                made.line("x", "y", source=source, legend_label=name, name=name, nonselection_line_alpha=0.8, **look)
            )
            # A line cannot be selected by a box; the points below it can.
            made.scatter(
                "x",
                "y",
                source=source,
                size=3,
                alpha=0.0,
                nonselection_alpha=0.0,
                selection_color=colour,
                selection_alpha=0.9,
            )
        made.add_tools(hover(lines, ("", "$name"), ("time", "@x{%H:%M:%S.%3N}"), ("value", f"@y{{0,0.0}} {unit}")))
        legend_beside(made)
        return made

    def _phases(self) -> Any:  # noqa: ANN401
        if self.framework_metrics_reader is None:
            return None
        end_us = self._end_us or self.framework_metrics_reader.get_timestamp_of_latest_available_file()
        at_s, shares = phase_shares(self.framework_metrics_reader.get_events(self._start_us, end_us))
        if not shares:
            return None
        made = over_time("Where the steps' time went", "% of the steps", height=190, x_range=self._range)
        made.y_range = Range1d(start=0, end=100)
        source = ColumnDataSource({"x": at_s * 1e3, **shares})
        areas = made.varea_stack(
            list(shares),
            x="x",
            source=source,
            color=[PHASES[name] for name in shares],
            legend_label=list(shares),
            fill_alpha=0.85,
        )
        made.add_tools(hover([areas[0]], ("time", "@x{%H:%M:%S}"), *((name, f"@{name}{{0.0}} %") for name in shares)))
        legend_beside(made)
        return made

    def _selected(self, indexes: Sequence[int]) -> tuple[float, float] | None:
        """From when to when, in seconds, the samples at these places of the first chart were taken."""
        if not len(indexes):
            print("Nothing is selected: drag over a chart with the box tool, and give the indexes that are shown")
            return None
        at_ms = np.asarray(next(iter(self.sources[self._metrics[0].label].values())).data["x"])
        first, last = (int(np.clip(place, 0, len(at_ms) - 1)) for place in (min(indexes), max(indexes)))
        return float(at_ms[first]) / 1e3, float(at_ms[last]) / 1e3


def _points(metric: Metric, series: Series) -> dict[str, Floats]:
    _, divisor = metric.unit
    at_s, values = extremes(series.at_s, series.values, _POINTS)
    return {"x": at_s * 1e3, "y": values / divisor}
