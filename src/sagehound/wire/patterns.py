"""The models' regular expressions, which are Java's, as Python's."""

from __future__ import annotations

import re
import unicodedata
import warnings
from functools import cache, lru_cache
from itertools import groupby

_CLASS = re.compile(r"\\p\{(\w+)\}")
_ASCII = {
    "ASCII": r"\x00-\x7f",
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Graph": "!-~",
    "Print": " -~",
}
#: Above it no script has characters; only variation selectors and private use do.
_LAST_SCRIPT = 0x33FFF


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern for `fullmatch`, or None for one that Python cannot express (none of an offered operation)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return re.compile(_CLASS.sub(_translated, pattern).replace(r"\z", r"\Z"))
        except re.error:
            return None


def _translated(found: re.Match[str]) -> str:
    name = found[1]
    ranges = _ASCII.get(name) or _category(name)
    text = found.string
    inside = text.count("[", 0, found.start()) > text.count("]", 0, found.start())
    return ranges if inside else f"[{ranges}]"


@cache
def _category(letter: str) -> str:
    """The characters of a general category (L, M, N, P, S, Z) as the inside of a character class."""
    members = _categories().get(letter, [])
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in members)


@cache
def _categories() -> dict[str, list[tuple[int, int]]]:
    ranges: dict[str, list[tuple[int, int]]] = {}
    first = 0
    for letter, group in groupby(unicodedata.category(chr(code))[0] for code in range(_LAST_SCRIPT + 1)):
        after = first + sum(1 for _ in group)
        ranges.setdefault(letter, []).append((first, after - 1))
        first = after
    return ranges
