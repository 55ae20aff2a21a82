"""The parts that sections of a page are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sagehound.pages.markup import Child, Html, element, markup
from sagehound.pages.units import share


def section(key: str, title: str, *body: Child) -> Html:
    """A landmark with its heading."""
    return element("section", element("h2", title, id=f"h-{key}"), *body, id=key, aria_labelledby=f"h-{key}")


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Child]], numbers: range = range(1, 99)) -> Html:
    """A table that can be scrolled sideways by itself; the columns `numbers` hold numbers, and the first cell of
    each row is its head. Most cells hold numbers, so the others have a class: a table of thousands is smaller by it."""
    cells = [element("th", title, scope="col", class_="n" if i in numbers else None) for i, title in enumerate(head)]
    lines = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(element("td", cell, class_=None if i in numbers else "t") for i, cell in enumerate(row[1:], 1)),
        )
        for row in rows
    ]
    whole = element(
        "table", element("caption", caption), element("thead", element("tr", cells)), element("tbody", lines)
    )
    return element("div", whole, class_="scroll", role="region", aria_label=caption, tabindex=0)


def note(*text: Child) -> Html:
    """A remark in small print."""
    return element("p", *text, class_="note")


def bar(part: float, ink: int = 1) -> Html:
    """A share as a bar beside its number; the number says it, the bar only shows it."""
    width = f"{100 * min(max(part, 0.0), 1.0):.1f}%"
    return element("span", element("i", class_=f"c{ink}", style=f"width:{width}"), class_="bar", aria_hidden="true")


def part(value: float, whole: float, ink: int = 1) -> Html:
    """A share in a cell: bar and number."""
    return markup(bar(value / whole if whole > 0 else 0.0, ink), element("span", share(value, whole), class_="share"))
