"""What every core and device did, in colours over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import BasicTicker, ColumnDataSource, FixedTicker, LinearColorMapper
from bokeh.models.annotations import ColorBar
from bokeh.palettes import Viridis256

from sagehound.profile.downsample import downsample
from sagehound.profile.notebook.chart import Chart
from sagehound.profile.notebook.look import INK, hover, over_time
from sagehound.profile.notebook.metrics import Metric, metrics_of
from sagehound.profile.notebook.system_metrics_reader import SystemMetricsReader
from sagehound.profile.series import Floats, Series

_BUCKETS = 500
_ROW_PX = 16


class Heatmap(Chart):
    """A row for each core, device and part, time from left to right; the mean of each stretch of time in colour, from
    0 to 100 percent. What is not in percent is shown against its own highest value.

    `starttime` and `endtime` are microseconds since the epoch; `select_dimensions` and `select_events` are regular
    expressions. `plot_height` is in pixels; None: so that each row can be read.
    """

    def __init__(
        self,
        metrics_reader: SystemMetricsReader,
        select_metrics: Sequence[str] = (),
        starttime: float = 0,
        endtime: float | None = None,
        select_dimensions: Sequence[str] = (".*CPU", ".*GPU"),
        select_events: Sequence[str] = (".*",),
        plot_height: int | None = None,
        show_workers: bool = True,
    ) -> None:
        """`select_metrics` is taken as the original takes it, and has no effect (nor there)."""
        self.metrics_reader = metrics_reader
        self.select_dimensions, self.select_events, self.show_workers = select_dimensions, select_events, show_workers
        self.plot_height = plot_height
        samples = metrics_reader.table(starttime, endtime)
        self._metrics = metrics_of(samples, select_dimensions, select_events, show_workers)
        self.create_plot()
        self.show()

    def create_plot(self) -> None:
        """Make `figure` of what was read."""
        rows = [(metric, name, series) for metric in self._metrics for name, series in metric.series.items()]
        from_s = min(float(series.at_s[0]) for _, _, series in rows)
        to_s = max(max(float(series.at_s[-1]) for _, _, series in rows), from_s + 1e-3)
        buckets = max(1, min(_BUCKETS, max(len(series.at_s) for _, _, series in rows)))
        values = [_row(metric, series, from_s, to_s, buckets) for metric, _, series in rows]
        names = [f"{metric.dimension} {name}" + (f" {metric.node}" if metric.node else "") for metric, name, _ in rows]
        self.figure = self._image(np.array(values), names, from_s, to_s)

    def _image(self, values: np.ndarray, names: list[str], from_s: float, to_s: float) -> Any:  # noqa: ANN401
        count = len(names)
        height = self.plot_height or max(180, 90 + _ROW_PX * count)
        made = over_time("Utilisation", "", height=height, x_range=(from_s * 1e3, to_s * 1e3), y_range=(count, 0))
        colours = LinearColorMapper(palette=Viridis256, low=0, high=100, nan_color="rgba(0,0,0,0)")
        width_ms = (to_s - from_s) * 1e3
        self.source = ColumnDataSource(
            {
                "image": [row.reshape(1, -1) for row in values],
                "x": [from_s * 1e3] * count,
                "y": [place + 0.96 for place in range(count)],
                "dw": [width_ms] * count,
                "metric": names,
            }
        )
        cells = made.image("image", "x", "y", "dw", 0.92, color_mapper=colours, source=self.source, anchor="top_left")
        made.grid.visible = False
        made.yaxis.ticker = FixedTicker(ticks=[place + 0.5 for place in range(count)])
        made.yaxis.major_label_overrides = {place + 0.5: name for place, name in enumerate(names)}
        made.yaxis.major_label_text_font_size = "11px"
        bar = ColorBar(color_mapper=colours, ticker=BasicTicker(desired_num_ticks=5), width=10, title="%")
        bar.background_fill_alpha = 0
        bar.major_label_text_color = bar.title_text_color = INK
        made.add_layout(bar, "right")
        made.add_tools(hover([cells], ("", "@metric"), ("time", "$x{%H:%M:%S}"), ("mean", "@image{0.0} %")))
        return made


def _row(metric: Metric, series: Series, from_s: float, to_s: float, buckets: int) -> Floats:
    """The mean of each stretch of time in percent; no number where there was no sample."""
    got = downsample(series.at_s, series.values, buckets, from_s, to_s)
    row: Floats = np.full(buckets, np.nan)
    places = np.clip(((got.at_s - from_s) / (to_s - from_s) * buckets).astype(int), 0, buckets - 1)
    unit, _ = metric.unit
    highest = 100.0 if unit == "%" else float(got.maximum.max(initial=0.0)) or 1.0
    row[places] = got.mean / highest * 100
    # A stretch between two others that no sample fell into, by chance of its borders, is no gap.
    missed = np.flatnonzero(np.isnan(row[1:-1])) + 1
    row[missed] = (row[missed - 1] + row[missed + 1]) / 2
    return row
