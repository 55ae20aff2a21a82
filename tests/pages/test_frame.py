"""A page is one document that fetches nothing and shows text as text."""

import html

from sagehound.pages.frame import contents, document, footer, header
from sagehound.pages.pieces import section, table

HOSTILE = "</script><script>alert(1)</script>"


def test_text_stays_text_wherever_it_stands() -> None:
    page = document(
        HOSTILE,
        header(HOSTILE, HOSTILE, (HOSTILE, "", "ended")),
        contents((("a", HOSTILE),)),
        section("a", HOSTILE, table(HOSTILE, (HOSTILE, "n"), ((HOSTILE, 1),))),
        footer(HOSTILE),
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 11
    assert f"{HOSTILE} · ended".replace("<", "&lt;").replace(">", "&gt;") in page


def test_the_browser_is_told_to_fetch_nothing() -> None:
    page = document("A", style=".own{}")
    assert "default-src 'none'" in html.unescape(page)
    assert ".own{}</style>" in page
