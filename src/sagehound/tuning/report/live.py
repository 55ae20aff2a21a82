"""A chart as a Bokeh figure, to be zoomed and pointed at."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import BoxSelectTool, BoxZoomTool, ColumnDataSource, FixedTicker, HoverTool, MultiLine, Range1d
from bokeh.models.renderers import GlyphRenderer
from bokeh.plotting import figure

from sagehound.pages.live import INKS
from sagehound.tuning.report.plot import Dots, Lines, Plot, Words
from sagehound.tuning.report.scale import Scale

_SHAPES = {"dot": "circle", "ring": "circle", "cross": "x", "diamond": "diamond"}
_ALIGN = {"start": "left", "middle": "center", "end": "right"}


def drawn(plot: Plot) -> figure:
    """The chart; its inks are set by the page's script, which knows the reader's scheme."""
    shown = figure(
        height=plot.height,
        sizing_mode="stretch_width",
        x_axis_type="log" if plot.x.log else "linear",
        y_axis_type="log" if plot.y.log else "linear",
        x_range=Range1d(start=plot.x.low, end=plot.x.high),
        y_range=Range1d(start=plot.y.low, end=plot.y.high),
        tools="",
        toolbar_location=None,
        min_border_left=4 if plot.bare else 62,
        min_border_right=12,
        name=plot.key,
        output_backend="canvas",
    )
    chooses: list[Any] = [_mark(shown, mark) for mark in plot.marks if isinstance(mark, Dots) and mark.chooses]
    for mark in plot.marks:
        if not (isinstance(mark, Dots) and mark.chooses):
            _mark(shown, mark)
    tool: Any = BoxSelectTool(renderers=chooses) if chooses else BoxZoomTool()
    shown.add_tools(tool)
    shown.toolbar.active_drag = tool
    _axes(shown, plot)
    return shown


def _axes(shown: figure, plot: Plot) -> None:
    shown.outline_line_color = None
    shown.xgrid.visible = False
    if plot.bare:
        shown.axis.visible = False
        shown.ygrid.visible = False
        return
    for one, scale in ((shown.xaxis, plot.x), (shown.yaxis, plot.y)):
        _label(one, scale)
    shown.xaxis.axis_label = plot.x.title
    shown.xaxis.axis_label_text_font_style = "normal"
    shown.xaxis.axis_label_text_font_size = "11px"


def _label(one: Any, scale: Scale) -> None:  # noqa: ANN401
    if scale.fixed:
        one.ticker = FixedTicker(ticks=[place for place, _ in scale.fixed])
        one.major_label_overrides = dict(scale.fixed)
    elif scale.log:
        labels = scale.labels()
        one.ticker = FixedTicker(ticks=[place for place, _ in labels])
        one.major_label_overrides = dict(labels)
    else:
        one[0].ticker.desired_num_ticks = 5


def _mark(shown: figure, mark: Dots | Lines | Words) -> GlyphRenderer[Any]:
    if isinstance(mark, Words):
        return _words(shown, mark)
    made = _dots(shown, mark) if isinstance(mark, Dots) else _lines(shown, mark)
    made.glyph.tags = [mark.ink]
    if mark.tips:
        tips = [(name, f"@t{place}") for place, name in enumerate(mark.tips)]
        shown.add_tools(HoverTool(renderers=[made], tooltips=tips, mode="mouse"))
    return made


def _tips(mark: Dots | Lines) -> dict[str, Any]:
    return {f"t{place}": list(texts) for place, texts in enumerate(mark.tips.values())}


def _dots(shown: figure, mark: Dots) -> GlyphRenderer[Any]:
    data = {"x": np.asarray(mark.x, "float32"), "y": np.asarray(mark.y, "float32"), **_tips(mark)}
    if mark.chooses:
        data["trial"] = np.asarray(mark.chooses, "int32")
    ring = mark.shape == "ring"
    made: GlyphRenderer[Any] = shown.scatter(
        "x",
        "y",
        source=ColumnDataSource(data),
        marker=_SHAPES[mark.shape],
        size=mark.size,
        line_width=2 if mark.shape == "cross" or ring else 1,
        color=INKS[1],
        fill_alpha=0.0 if ring or mark.chooses else 0.85,
        line_alpha=0.0 if mark.chooses else 1.0,
        nonselection_fill_alpha=0.0 if ring or mark.chooses else 0.85,
        nonselection_line_alpha=0.0 if mark.chooses else 1.0,
        selection_fill_alpha=0.0 if mark.chooses else 0.85,
    )
    return made


def _lines(shown: figure, mark: Lines) -> GlyphRenderer[Any]:
    data = {
        "xs": [np.asarray(x, "float32") for x, _ in mark.paths],
        "ys": [np.asarray(y, "float32") for _, y in mark.paths],
        "seen": np.full(len(mark.paths), mark.opacity, "float32"),
        **_tips(mark),
    }
    if mark.trials:
        data["trial"] = np.asarray(mark.trials, "int32")
    made: GlyphRenderer[Any] = shown.multi_line(
        "xs",
        "ys",
        source=ColumnDataSource(data),
        line_width=mark.width,
        line_color=INKS[1],
        line_alpha="seen",
        line_join="round",
    )
    if mark.tips:
        made.hover_glyph = MultiLine(
            xs="xs", ys="ys", line_width=mark.width + 2, line_color=INKS[1], line_alpha=1.0, tags=[mark.ink]
        )
    return made


def _words(shown: figure, mark: Words) -> GlyphRenderer[Any]:
    data = {"x": list(mark.x), "y": list(mark.y), "text": list(mark.texts)}
    made: GlyphRenderer[Any] = shown.text(
        "x",
        "y",
        "text",
        source=ColumnDataSource(data),
        text_align=_ALIGN[mark.anchor],
        text_baseline="middle",
        text_font_size="12px" if mark.strong else "11px",
        text_font_style="bold" if mark.strong else "normal",
    )
    made.glyph.tags = ["ink" if mark.strong else "soft", "words"]
    return made
