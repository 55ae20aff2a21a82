"""A chart as a drawing: for paper, for mail programs, and wherever scripts do not run."""

from __future__ import annotations

import numpy as np

from sagehound.pages.markup import Html, element, markup
from sagehound.pages.ticks import decades, ticks
from sagehound.pages.units import clock, number
from sagehound.profile.report.chart import Chart, Line
from sagehound.profile.series import Floats

WIDTH, HEIGHT = 760, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 8, 8, 22
_POINTS = 240


def still(chart: Chart) -> Html:
    """An SVG drawing in the page's own colours."""
    limits = _scale(chart, np.array(chart.limits))
    drawn = (
        _stack(chart, limits)
        if chart.stacked
        else [_line(chart, line, limits, place) for place, line in enumerate(chart.lines)]
    )
    return element(
        "svg",
        _grid(chart),
        *drawn,
        class_="still",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        aria_hidden="true",
        focusable="false",
    )


def _grid(chart: Chart) -> Html:
    low, high = chart.limits
    by, _ = chart.axis
    across = decades(low, high) if chart.logarithmic else [each / by for each in ticks(low * by, high * by)]
    limits = _scale(chart, np.array((low, high)))
    lines = []
    for value in across:
        y = _y(_scale(chart, np.array([value])), limits)[0]
        lines.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid"))
        lines.append(element("text", number(value * by), x=_LEFT - 6, y=f"{y + 3.5:.1f}", class_="end"))
    begin, end = chart.span
    for place in range(5):
        at_s = begin + (end - begin) * place / 4
        x = _LEFT + (WIDTH - _LEFT - _RIGHT) * place / 4
        side = "start" if place == 0 else "end" if place == 4 else "middle"
        lines.append(element("text", clock(at_s, end - begin > 20 * 3600), x=f"{x:.0f}", y=HEIGHT - 5, class_=side))
    return markup(lines)


def _line(chart: Chart, line: Line, limits: Floats, place: int) -> Html:
    chosen = np.unique(np.linspace(0, len(line.at_s) - 1, min(len(line.at_s), _POINTS * 3)).astype(int))
    x = _x(line.at_s[chosen], chart.span)
    low, mean, high = (_y(_scale(chart, each[chosen]), limits) for each in (line.low, line.mean, line.high))
    band = _area(x, low, high, line.ink) if line.has_band else None
    if len(x) == 1:
        return element("circle", cx=f"{x[0]:.1f}", cy=f"{mean[0]:.1f}", r=2.5, class_=f"area c{line.ink}")
    runs = np.split(np.arange(len(x)), np.searchsorted(chosen, line.gaps))
    lines = [element("polyline", points=_points(x[r], mean[r]), class_=f"curve c{line.ink} s{place % 5}") for r in runs]
    return markup(band, lines)


def _stack(chart: Chart, limits: Floats) -> list[Html]:
    at_s, levels = chart.stack()
    below = np.zeros(len(at_s))
    drawn = []
    for line, level in zip(chart.lines, levels, strict=True):
        drawn.append(_area(_x(at_s, chart.span), _y(below, limits), _y(level, limits), line.ink, "fill"))
        below = level
    return drawn


def _area(x: Floats, low: Floats, high: Floats, ink: int, kind: str = "band") -> Html:
    edge = f"{_points(x, high)} {_points(x[::-1], low[::-1])}"
    return element("polygon", points=edge, class_=f"{kind} c{ink}")


def _points(x: Floats, y: Floats) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _scale(chart: Chart, values: Floats) -> Floats:
    scaled: Floats = np.log10(np.maximum(values, 1e-300)) if chart.logarithmic else values
    return scaled


def _x(at_s: Floats, span: tuple[float, float]) -> Floats:
    x: Floats = _LEFT + (at_s - span[0]) / max(span[1] - span[0], 1e-9) * (WIDTH - _LEFT - _RIGHT)
    return x


def _y(values: Floats, limits: Floats) -> Floats:
    height = HEIGHT - _TOP - _BOTTOM
    y: Floats = _TOP + height - (values - limits[0]) / max(float(limits[1] - limits[0]), 1e-12) * height
    return np.clip(y, _TOP, _TOP + height)
