"""Reading log events: pages forwards, pages backwards, and pages of what a filter matches."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice

from sagehound.api.log_streams import Stream
from sagehound.errors import InvalidInput
from sagehound.jobs.logs import LogLine, offset_at, read_lines

#: The most events of one page, as CloudWatch has it.
PAGE = 10_000
#: Events read at a time of each of many streams.
_MERGED = 500

Wanted = Callable[[LogLine], bool]


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two events of a stream: in the file, in bytes, and counted in events from its start."""

    offset_bytes: int = 0
    index: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Events next to each other, and the places before the first and after the last."""

    lines: list[LogLine]
    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Hit:
    """One event that a filter found: its stream, and its number among the stream's of the same millisecond, from 0."""

    stream: Stream
    index: int
    line: LogLine


def forwards(stream: Stream, start: Position, limit: int, wanted: Wanted) -> Window:
    """The first wanted events from `start` on: at most `limit`, none only where the stream has no more (yet)."""
    for chunk in _chunks(stream, start, limit):
        lines = [line for line in chunk.lines if wanted(line)]
        start = chunk.end
        if lines:
            return Window(lines, chunk.start, chunk.end)
    return Window([], start, start)


def backwards(stream: Stream, before: Position | None, limit: int, wanted: Wanted) -> Window:
    """The last wanted events ahead of `before` (None: the stream's end): at most `limit`."""
    kept: deque[tuple[Position, int, LogLine]] = deque(maxlen=limit)
    end = Position()
    for chunk in _chunks(stream, end, PAGE):
        for number, line in enumerate(chunk.lines, chunk.start.index):
            if (before is None or number < before.index) and wanted(line):
                kept.append((chunk.start, number, line))
        end = chunk.end
        if before is not None and end.index >= before.index:
            break
    start = _forward(stream, kept[0][0], kept[0][1]) if kept else Position()
    return Window([line for _, _, line in kept], start, before or end)


def matches(streams: list[Stream], place: str, limit: int, wanted: Wanted, start_ms: int = 0) -> tuple[list[Hit], str]:
    """At most `limit` wanted events from `start_ms` on, in the order of time across all streams, from `place` on; and
    the place of the next ones, empty where there are none. An empty place is the start."""
    first = _parsed(place) if place else (start_ms, "", 0)
    later = merge(*(_from(stream, first[0]) for stream in streams), key=_key)
    found = (hit for hit in later if _key(hit) >= first and wanted(hit.line))
    hits = list(islice(found, limit + 1))
    return hits[:limit], json.dumps(_key(hits[limit])) if len(hits) > limit else ""


def _key(hit: Hit) -> tuple[int, str, int]:
    return hit.line.at_ms, hit.stream.name, hit.index


def _from(stream: Stream, at_ms: int) -> Iterator[Hit]:
    """The stream's events of `at_ms` and later."""
    now_ms, index = -1, 0
    for chunk in _chunks(stream, Position(offset_at(stream.folder, stream.host, at_ms)), _MERGED):
        for line in chunk.lines:
            # A clock that was set back must not bring events out of order.
            now_ms, index = (line.at_ms, 0) if line.at_ms > now_ms else (now_ms, index + 1)
            yield Hit(stream, index, LogLine(now_ms, line.text))


def _parsed(place: str) -> tuple[int, str, int]:
    try:
        at_ms, name, index = json.loads(place)
    except (ValueError, TypeError):
        raise InvalidInput("The specified nextToken is invalid.") from None
    if not (isinstance(at_ms, int) and isinstance(name, str) and isinstance(index, int)):
        raise InvalidInput("The specified nextToken is invalid.")
    return at_ms, name, index


def _chunks(stream: Stream, start: Position, size: int) -> Iterator[Window]:
    """The stream from `start` on, at most `size` events at a time, to what is written by now."""
    while True:
        lines, offset_bytes = read_lines(stream.folder, stream.host, start.offset_bytes, size)
        if not lines:
            return
        end = Position(offset_bytes, start.index + len(lines))
        yield Window(lines, start, end)
        start = end


def _forward(stream: Stream, start: Position, index: int) -> Position:
    """The place ahead of event number `index`, which is at or after `start`."""
    if index == start.index:
        return start
    _, offset_bytes = read_lines(stream.folder, stream.host, start.offset_bytes, index - start.index)
    return Position(offset_bytes, index)
