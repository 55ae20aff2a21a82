"""A chart in the page: its key, the live figure, the drawing that stands in for it, and its words."""

from __future__ import annotations

from sagehound.pages.markup import Child, Html, element
from sagehound.tuning.report.plot import Dots, Lines, Plot
from sagehound.tuning.report.still import still


def chart(plot: Plot, *more: Child, level: str = "h3") -> Html:
    """The figure of `plot`; `more` stands between its key and the chart."""
    least = f"min-width:{plot.least_width}px" if plot.least_width else None
    body = element(
        "div",
        element(
            "div",
            id=f"chart-{plot.key}",
            class_="live",
            style=f"height:{plot.height}px",
            role="img",
            aria_label=f"{plot.title}. {plot.told}",
        ),
        still(plot),
        style=least,
    )
    return element(
        "figure",
        element(level, plot.title),
        element("ul", [_key(mark) for mark in plot.labelled], class_="keys"),
        element("button", "Whole chart", type="button", class_="whole", data_whole=plot.key, hidden=True),
        *more,
        element("div", body, class_="scroll", role="region", aria_label=plot.title, tabindex=0) if least else body,
        element("figcaption", plot.told, f" {plot.note}" if plot.note else None),
    )


def _key(mark: Dots | Lines) -> Html:
    return element("li", _sample(mark), mark.label)


def _sample(mark: Dots | Lines) -> Html:
    if isinstance(mark, Lines):
        shape = element("line", x1=0, x2=20, y1=6, y2=6, class_="line", stroke_width=max(mark.width, 2.0))
    elif mark.shape == "cross":
        shape = element("path", d="M6 2l8 8m0 -8l-8 8", class_="ring")
    elif mark.shape == "diamond":
        shape = element("polygon", points="10,0 16,6 10,12 4,6", class_="dot")
    else:
        shape = element("circle", cx=10, cy=6, r=4, class_="ring" if mark.shape == "ring" else "dot")
    return element(
        "svg",
        element("g", shape, class_=f"i-{mark.ink}"),
        class_="sample",
        viewBox="0 0 20 12",
        aria_hidden="true",
        focusable="false",
    )
