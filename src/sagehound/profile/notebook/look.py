"""How charts look: readable on white and on black, with units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.models import BasicTickFormatter, DatetimeTickFormatter, HoverTool
from bokeh.plotting import figure

#: Apart for colour-blind eyes too, and on both grounds (after Okabe and Ito, evened out in lightness).
COLOURS = ("#3d8fd1", "#e08214", "#2ca58d", "#cc5a9e", "#a08c1a", "#7a74d6", "#d1495b", "#6c8f3c", "#5fb3d9", "#9c7a5b")
#: The phases of a step, always in the same colours.
PHASES = {
    "loader": "#e08214",
    "copy": "#a08c1a",
    "forward": "#3d8fd1",
    "backward": "#7a74d6",
    "optimizer": "#2ca58d",
    "rest": "#8b929a",
}
INK, FAINT = "#7d8590", "#8b949e"
WIDTH = 1000
_PREFIXES = (("G", 1e9), ("M", 1e6), ("k", 1e3))
_TOOLS = "xpan,xbox_zoom,xwheel_zoom,reset,save"


def plot(title: str, height: int = 220, width: int = WIDTH, tools: str = _TOOLS, **more: Any) -> Any:  # noqa: ANN401
    """An empty figure: no ground of its own, grey ink, faint lines."""
    made: Any = figure(title=title, height=height, width=width, tools=tools, toolbar_location="right", **more)
    made.background_fill_alpha = made.border_fill_alpha = 0
    made.outline_line_color = None
    made.toolbar.logo = None
    made.title.text_color = INK
    made.title.text_font_size = "13px" if width > 400 else "12px"
    for axis in made.axis:
        axis.axis_label_text_color = axis.major_label_text_color = INK
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = axis.major_label_text_font_size = "12px"
        axis.axis_line_color = axis.major_tick_line_color = FAINT
        axis.minor_tick_line_color = None
    for axis in made.axis:
        if isinstance(axis.formatter, BasicTickFormatter):
            axis.formatter.use_scientific = False
    made.grid.grid_line_color = FAINT
    made.grid.grid_line_alpha = 0.2
    made.min_border_left = 70
    return made


def over_time(title: str, unit: str, height: int = 220, last: bool = True, **more: Any) -> Any:  # noqa: ANN401
    """A figure over the time of day; x in milliseconds since the epoch. `last`: its axis says what it is."""
    made = plot(title, height, x_axis_type="datetime", **more)
    made.xaxis.formatter = DatetimeTickFormatter(
        microseconds="%H:%M:%S.%f",
        milliseconds="%H:%M:%S.%3N",
        seconds="%H:%M:%S",
        minsec="%H:%M:%S",
        minutes="%H:%M",
        hourmin="%H:%M",
        hours="%d %b %H:%M",
        days="%d %b",
        context=None,
    )
    made.yaxis.axis_label = unit
    made.xaxis.axis_label = "time (UTC)" if last else None
    return made


def hover(renderers: Sequence[Any], *lines: tuple[str, str]) -> HoverTool:
    """What is shown beside the pointer; a column "x" is a moment."""
    return HoverTool(renderers=list(renderers), tooltips=list(lines), formatters={"@x": "datetime", "$x": "datetime"})


def legend_beside(made: Any) -> None:  # noqa: ANN401
    """The legend to the right of the figure; a click on a name hides its line."""
    if not made.legend:
        return
    legend = made.legend[0]
    legend.click_policy = "hide"
    legend.label_text_color = INK
    legend.label_text_font_size = "11px"
    legend.background_fill_alpha = legend.border_line_alpha = 0
    legend.spacing, legend.padding, legend.label_height, legend.glyph_height = 0, 2, 14, 12
    made.add_layout(legend, "right")


def unit_of(dimension: str, highest: float = 0.0) -> tuple[str, float]:
    """What a dimension's numbers are shown in, where the highest is so high, and what to divide them by for it."""
    if dimension.endswith(("BytesPerSecond", "Bytes")):
        prefix, divisor = next((each for each in _PREFIXES if highest >= each[1]), ("", 1.0))
        return f"{prefix}B{'/s' if dimension.endswith('PerSecond') else ''}", divisor
    if "Temperature" in dimension:
        return "°C", 1.0
    if "Power" in dimension:
        return "W", 1.0
    percent = any(word in dimension for word in ("Utilization", "Percent"))
    return ("%", 1.0) if percent else ("", 1.0)
