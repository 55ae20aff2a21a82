"""Lines of a log that a metric's regular expression was probably meant for, and did not match.

The expression is not run again: one that takes too long in a job's own process would do so here, too. What is compared
are its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: A line with so large a part of the expression's words is a near miss.
_ENOUGH = 0.5
_MOST_CHARACTERS = 2000
_GROUPS = re.compile(r"\(\?P<\w+>|\(\?[:=!<]*|\[[^\]]*\]|\{[\d,]*\}|\\[A-Za-z]")
_ESCAPED = re.compile(r"\\(.)")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d")
_NO_NUMBER = re.compile(r"\b(nan|inf|infinity)\b", re.IGNORECASE)
_COMMA = re.compile(r"\d,\d")


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A line, and what of it is otherwise than the expression has it."""

    line: str
    why: str


def near_misses(regex: str, lines: Iterable[str], most: int = 3) -> list[NearMiss]:
    """Up to `most` lines, the nearest first, of lines that are alike but for their numbers the first."""
    words = _words(regex)
    folded = {word.casefold() for word in words}
    found: dict[str, tuple[float, int, str]] = {}
    for place, text in enumerate(lines):
        line = text[:_MOST_CHARACTERS].strip()
        score = _score(folded, line)
        if score >= _ENOUGH:
            found.setdefault(re.sub(r"\d+", "#", line), (-score, place, line))
    return [NearMiss(line, _why(words, line)) for _, _, line in sorted(found.values())[:most]]


def _words(regex: str) -> list[str]:
    """The words that the expression asks for as they stand."""
    return _WORD.findall(_ESCAPED.sub(r"\1", _GROUPS.sub(" ", regex)))


def _score(folded: set[str], line: str) -> float:
    """What part of the words the line has; for an expression without words, whether the line has a number."""
    if not _NUMBER.search(line) and not _NO_NUMBER.search(line):
        return 0.0
    if not folded:
        return _ENOUGH
    return len(folded & {word.casefold() for word in _WORD.findall(line)}) / len(folded)


def _why(words: list[str], line: str) -> str:
    there = _WORD.findall(line)
    missing = [word for word in words if word not in there]
    folded = {word.casefold() for word in there}
    if missing and all(word.casefold() in folded for word in missing):
        return "the same words with other capital letters"
    if missing:
        return f"without {', '.join(repr(word) for word in dict.fromkeys(missing))}"
    if _NO_NUMBER.search(line):
        return "the value is no finite number"
    if _COMMA.search(line):
        return "the number is written with a comma"
    return "the same words, with other spaces, signs or another form of the number between them"
