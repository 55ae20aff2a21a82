"""A chart as a drawing: for paper, for mail programs, and wherever scripts do not run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from sagehound.pages.markup import Html, element, markup
from sagehound.tuning.report.plot import Dots, Lines, Plot, Words

WIDTH = 760
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 8, 38


class _Sheet:
    """Places on the drawing."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.width = max(WIDTH, plot.least_width)
        #: A drawing that is wider than paper is made smaller there: whole units are fine enough.
        self.digits = 0 if self.width > WIDTH else 1
        self.left = 4 if plot.bare else _LEFT
        self.bottom = plot.height - (4 if plot.bare else _BOTTOM)

    def x(self, place: float) -> float:
        return self.left + self._plot.x.fraction(place) * (self.width - self.left - _RIGHT)

    def y(self, place: float) -> float:
        return self.bottom - self._plot.y.fraction(place) * (self.bottom - _TOP)


def still(plot: Plot) -> Html:
    """An SVG drawing in the page's own colours."""
    sheet = _Sheet(plot)
    marks = [_mark(sheet, mark) for mark in plot.marks]
    return element(
        "svg",
        None if plot.bare else _grid(sheet, plot),
        *marks,
        class_="still",
        viewBox=f"0 0 {sheet.width} {plot.height}",
        aria_hidden="true",
        focusable="false",
    )


def _grid(sheet: _Sheet, plot: Plot) -> Html:
    across = [
        markup(
            element("line", x1=_LEFT, x2=sheet.width - _RIGHT, y1=_n(sheet.y(at)), y2=_n(sheet.y(at)), class_="grid"),
            element("text", words, x=_LEFT - 6, y=_n(sheet.y(at) + 3.5), class_="end"),
        )
        for at, words in plot.y.labels()
    ]
    along = [
        element("text", words, x=_n(sheet.x(at)), y=sheet.bottom + 14, class_="middle")
        for at, words in plot.x.labels(8)
    ]
    title = element("text", plot.x.title, x=(sheet.width + _LEFT) // 2, y=sheet.bottom + 30, class_="middle")
    return markup(across, along, title)


def _mark(sheet: _Sheet, mark: Dots | Lines | Words) -> Html | None:
    if isinstance(mark, Words):
        return _words(sheet, mark)
    if isinstance(mark, Lines):
        opacity = mark.opacity if mark.opacity < 1 else None
        paths = [_path(sheet, x, y) for x, y in mark.paths]
        return element("g", paths, class_=f"i-{mark.ink} lines", stroke_width=mark.width, stroke_opacity=opacity)
    if mark.chooses:
        return None
    places = [(sheet.x(x), sheet.y(y)) for x, y in zip(mark.x, mark.y, strict=True)]
    if mark.shape == "dot":
        # Hundreds of dots are one path of round ends: a fifth of the size of as many circles.
        ends = "".join(f"M{_n(x)} {_n(y)}h0" for x, y in places)
        return element("path", d=ends, class_=f"dots i-{mark.ink}", stroke_width=mark.size)
    return element("g", [_dot(x, y, mark) for x, y in places], class_=f"i-{mark.ink}")


def _path(sheet: _Sheet, xs: Sequence[float], ys: Sequence[float]) -> Html:
    """One line, in as many pieces as it has gaps."""
    pieces: list[list[str]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if math.isfinite(y):
            pieces[-1].append(f"{sheet.x(x):.{sheet.digits}f},{sheet.y(y):.{sheet.digits}f}")
        elif pieces[-1]:
            pieces.append([])
    return markup(element("polyline", points=" ".join(piece)) for piece in pieces if len(piece) > 1)


def _dot(x: float, y: float, mark: Dots) -> Html:
    half = mark.size / 2
    if mark.shape == "cross":
        path = f"M{_n(x - half)} {_n(y - half)}l{mark.size} {mark.size}m0 {-mark.size}l{-mark.size} {mark.size}"
        return element("path", d=path, class_="ring")
    if mark.shape == "diamond":
        around: Iterable[tuple[float, float]] = ((0, -half), (half, 0), (0, half), (-half, 0))
        return element("polygon", points=" ".join(f"{_n(x + a)},{_n(y + b)}" for a, b in around), class_="dot")
    return element("circle", cx=_n(x), cy=_n(y), r=_n(half), class_="ring" if mark.shape == "ring" else "dot")


def _words(sheet: _Sheet, mark: Words) -> Html:
    kind = f"{mark.anchor} strong" if mark.strong else mark.anchor
    return markup(
        element("text", text, x=_n(sheet.x(x)), y=_n(sheet.y(y) + 3.5), class_=kind)
        for x, y, text in zip(mark.x, mark.y, mark.texts, strict=True)
    )


def _n(value: float) -> str:
    return f"{value:.1f}"
