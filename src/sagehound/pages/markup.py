"""HTML that cannot be forgotten to be escaped: text is text until it is said to be markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

#: Control characters, halves of surrogate pairs, and marks that turn the direction of what follows them: a name that
#: holds one must not change how the text around it reads.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_VOID = frozenset(("meta", "br", "hr", "img", "col"))


class Html(str):
    """Markup, made by `element`; any other string is text."""

    __slots__ = ()


Child = str | int | float | None | Iterable["Child"]


def plain(value: object) -> str:
    """A string without what cannot be printed."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))


def markup(*children: Child) -> Html:
    """The children in a row: strings are escaped, elements are not, None is nothing.

    >>> markup("a < b", element("br"))
    'a &lt; b<br>'
    """
    return Html("".join(_one(child) for child in children))


def element(tag: str, *children: Child, **attributes: str | int | float | bool | None) -> Html:
    """An element; an attribute that is None or False is left out, and `class_` and `data_x` are `class` and `data-x`.

    >>> element("p", "<b>", class_="note")
    '<p class="note">&lt;b&gt;</p>'
    """
    opening = "".join((tag, *(_attribute(name, value) for name, value in attributes.items())))
    return Html(f"<{opening}>" if tag in _VOID else f"<{opening}>{markup(*children)}</{tag}>")


def raw(text: str) -> Html:
    """Our own style, script or drawing, as it stands."""
    return Html(text)


def _one(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int | float):
        return html.escape(plain(child), quote=False)
    return "".join(_one(each) for each in child)


def _attribute(name: str, value: str | int | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    key = name.rstrip("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{html.escape(plain(value))}"'
