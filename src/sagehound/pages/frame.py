"""The frame of a page: one HTML document that fetches nothing, whatever stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from sagehound.pages.markup import Child, Html, element, raw

#: The browser is told to fetch nothing at all, whatever stands in the page.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def document(title: str, *body: Child, style: str = "") -> str:
    """The whole page; `style` is added to what all pages share."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", raw(_style() + style)),
    )
    return f'<!DOCTYPE html>\n<html lang="en">{head}{element("body", *body)}</html>\n'


def header(kind: str, name: str, told: Iterable[str]) -> Html:
    """The kind of page, the name of what it is about, and what is known of it in a few words."""
    return element(
        "header",
        element("p", kind, class_="kind"),
        element("h1", name),
        element("p", " · ".join(each for each in told if each), class_="told"),
    )


def contents(sections: Sequence[tuple[str, str]]) -> Html:
    """The way to each section, by its key and in its words."""
    links = [element("li", element("a", words, href=f"#{key}")) for key, words in sections]
    return element("nav", element("ul", links), aria_label="Sections")


def footer(*said: Child) -> Html:
    """Who wrote the page."""
    return element(
        "footer", element("p", "Written by Sagehound. This file needs no network and sends nothing. ", *said)
    )


@cache
def _style() -> str:
    return (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
