"""Charts that can be zoomed: Bokeh figures on one shared axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    ContinuousTicker,
    DatetimeTickFormatter,
    HoverTool,
    Range1d,
)
from bokeh.models.renderers import GlyphRenderer
from bokeh.plotting import figure

from sagehound.pages.live import DASHES, INKS
from sagehound.profile.report.chart import Chart, Line
from sagehound.profile.series import Floats


def figures(charts: Sequence[Chart]) -> list[figure]:
    """One Bokeh figure a chart, all on one range of time."""
    if not charts:
        return []
    begin, end = charts[0].span
    shared = Range1d(start=begin * 1000, end=end * 1000, bounds=(begin * 1000, end * 1000))
    return [_figure(chart, shared) for chart in charts]


def _figure(chart: Chart, shared: Range1d) -> figure:
    by, _ = chart.axis
    low, high = (by * each for each in chart.limits)
    drawn = figure(
        height=190,
        sizing_mode="stretch_width",
        x_axis_type="datetime",
        y_axis_type="log" if chart.logarithmic else "linear",
        x_range=shared,
        y_range=Range1d(start=low, end=high),
        tools="xbox_zoom",
        active_drag="xbox_zoom",
        toolbar_location=None,
        min_border_left=62,
        min_border_right=8,
        name=chart.key,
        output_backend="canvas",
    )
    drawn.xaxis.formatter = _clock()
    for ticker, wanted in ((drawn.yaxis[0].ticker, 4), (drawn.xaxis[0].ticker, 5)):
        if isinstance(ticker, ContinuousTicker):
            ticker.desired_num_ticks = wanted
    drawn.xgrid.visible = False
    drawn.outline_line_color = None
    if chart.stacked:
        _stack(drawn, chart)
    for place, line in enumerate(() if chart.stacked else chart.lines):
        _line(drawn, line, DASHES[place % len(DASHES)], chart.axis)
    return drawn


def _clock() -> DatetimeTickFormatter:
    """Times without a second line for the date."""
    return DatetimeTickFormatter(
        seconds="%H:%M:%S", minsec="%H:%M:%S", minutes="%H:%M", hourmin="%H:%M", hours="%H:%M", days="%m-%d"
    )


def _with_gaps(line: Line) -> tuple[Floats, Floats, Floats, Floats]:
    """Times, mean, low and high with a value that is none where nothing was seen for long."""
    gaps = line.gaps
    times = np.insert(line.at_s, gaps, line.at_s[gaps])
    mean, low, high = (np.insert(each.astype(float), gaps, np.nan) for each in (line.mean, line.low, line.high))
    return times, mean, low, high


def _line(drawn: figure, line: Line, dash: str, axis: tuple[float, str]) -> None:
    by, unit = axis
    at_s, mean, low, high = _with_gaps(line)
    data = {"t": at_s * 1000, "mean": mean * by}
    if line.has_band:
        data |= {"low": low * by, "high": high * by}
    source = ColumnDataSource(
        {key: values.astype("float64" if key == "t" else "float32") for key, values in data.items()}
    )
    ink = INKS[line.ink]
    if line.has_band:
        area = drawn.varea("t", "low", "high", source=source, fill_color=ink, fill_alpha=0.22)
        area.glyph.tags = [f"c{line.ink}"]
    if len(line.at_s) == 1:
        seen: GlyphRenderer[Any] = drawn.scatter("t", "mean", source=source, size=6, color=ink)
    else:
        seen = drawn.line("t", "mean", source=source, line_color=ink, line_width=1.5, line_dash=dash)
    seen.glyph.tags = [f"c{line.ink}"]
    tips = [("time (UTC)", "@t{%F %T}"), ("value", f"@mean{{0.[000]}} {unit}")]
    if line.has_band:
        tips += [("lowest", f"@low{{0.[000]}} {unit}"), ("highest", f"@high{{0.[000]}} {unit}")]
    drawn.add_tools(HoverTool(renderers=[seen], tooltips=tips, formatters={"@t": "datetime"}, mode="vline"))


def _stack(drawn: figure, chart: Chart) -> None:
    by, _ = chart.axis
    at_s, levels = chart.stack()
    below = at_s * 0
    for line, level in zip(chart.lines, levels, strict=True):
        source = ColumnDataSource({"t": at_s * 1000, "below": below, "level": level * by})
        ink = INKS[line.ink]
        drawn.varea("t", "below", "level", source=source, fill_color=ink).glyph.tags = [f"c{line.ink}"]
        below = level * by
