"""Reading metrics out of log lines as they come."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

#: A line is matched up to here: a metric stands near its beginning, and some expressions take quadratic time.
_MAX_CHARACTERS = 16 * 1024
#: How long one expression may take for one line, and what part of the job's time it may take in all (beyond 1 s).
_LINE_BUDGET_S = 0.25
_SHARE = 0.05


class _TooSlow(Exception):
    """The expression went over its time for the line."""


class Meter:
    """Called with each line, it appends to a file `{"name", "value", "at"}` for each metric that the line holds.

    The value is the expression's first group, or all of the match where it has none. An expression that takes too
    long (`(a+)+$` and its like) is given up, which `say` is told; the job and its log go on. Uses SIGALRM, as
    CPython's matching lets signals interrupt it: for the main thread of a process alone.
    """

    def __init__(self, definitions: list[tuple[str, str]], path: str, say: Callable[[str], None]) -> None:
        self._path = path
        self._say = say
        self._began = time.monotonic()
        self._spent: dict[str, float] = {}
        self._expressions: dict[str, list[re.Pattern[str]]] = {}
        self._matching = False
        for name, regex in definitions:
            self._compile(name, regex)
        if self._expressions:
            signal.signal(signal.SIGALRM, self._interrupt)

    def __call__(self, at: float, text: str) -> None:
        found = []
        for name in list(self._expressions):
            match = self._search(name, text[:_MAX_CHARACTERS])
            value = _number(match) if match else None
            if value is not None:
                found.append({"name": name, "value": value, "at": at})
        if found:
            _append(self._path, "".join(json.dumps(point) + "\n" for point in found).encode())

    def _search(self, name: str, text: str) -> re.Match[str] | None:
        began = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, _LINE_BUDGET_S)
        try:
            self._matching = True
            matches = (expression.search(text) for expression in self._expressions[name])
            found = next((match for match in matches if match), None)
            self._matching = False
        except _TooSlow:
            self._give_up(name)
            return None
        finally:
            self._matching = False
            signal.setitimer(signal.ITIMER_REAL, 0)
        now = time.monotonic()
        self._spent[name] += now - began
        if self._spent[name] > 1 + _SHARE * (now - self._began):
            self._give_up(name)
        return found

    def _compile(self, name: str, regex: str) -> None:
        try:
            self._expressions.setdefault(name, []).append(re.compile(regex))
            self._spent[name] = 0.0
        except re.error as problem:
            self._say(f"sagehound: metric {name!r} is not read: {regex!r} is no regular expression ({problem})")

    def _give_up(self, name: str) -> None:
        del self._expressions[name]
        self._say(
            f"sagehound: metric {name!r} is not read any more: its regular expression takes too long; "
            "avoid repetitions inside repetitions"
        )

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._matching:
            raise _TooSlow


def _number(match: re.Match[str]) -> float | None:
    text = match.group(1) if match.re.groups else match.group()
    try:
        value = float((text or "").strip().rstrip(".,"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _append(path: str, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(file, data)
    finally:
        os.close(file)
