"""Charts that can be zoomed: Bokeh's figures as data in the page, and its script without any address in it."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import bokeh
from bokeh.document import Document
from bokeh.plotting import figure

from sagehound.pages.markup import Html, element, markup, raw

#: The inks of the light scheme, as style.css has them: what a notebook shows. The page's script puts the scheme's own
#: in place of them, by the tag of a glyph: `c0` to `c9`, `q0` to `q4`, `ink`, `soft` or `rule`.
INKS = ("#b3541e", "#1f5fbf", "#5b3fa8", "#0f766e", "#8a6d00", "#6b7280", "#94a3b8", "#b0307a", "#c3c8cf", "#a8b0ba")
DASHES = ("solid", "dashed", "dotted", "dotdash", "dashdot")
_PACKED = "application/gzip;base64"
_ADDRESS = re.compile(r"https?://(?!www\.w3\.org)[^\s\"'`)<>]*")


def scripts(figures: Mapping[str, figure], own: str = "") -> Html | None:
    """Everything that draws `figures`, each in the place `chart-KEY`; nothing where there are none. `own` is a script
    of the page's, which stands before the drawing and may set `window.whenDrawn`: called with the figures in order."""
    if not figures:
        return None
    page, roots = Document(), {}
    for key, drawn in figures.items():
        page.add_root(drawn)
        roots[key] = str(drawn.id)
    return markup(
        element(
            "script",
            packed(json.dumps(page.to_json(deferred=False), separators=(",", ":"))),
            type=_PACKED,
            id="figures",
        ),
        element("script", raw(safe_json(roots)), type="application/json", id="roots"),
        element("script", _packed_script(), type=_PACKED, id="bokeh"),
        element("script", raw(own)) if own else None,
        element("script", raw(_drawing())),
    )


@cache
def script() -> str:
    """BokehJS, without the addresses that it would fetch fonts and formulas from: nothing here asks for either."""
    path = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    return _ADDRESS.sub("about:blank", path.read_text(encoding="utf-8"))


def packed(text: str) -> str:
    """`text` by gzip, in letters and digits: a third of a script, which the page's own script unpacks.

    >>> gzip.decompress(base64.b64decode(packed("a < b"))).decode()
    'a < b'
    """
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


@cache
def _packed_script() -> str:
    return packed(script())


def safe_json(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def _drawing() -> str:
    return (Path(__file__).parent / "live.js").read_text(encoding="utf-8")
