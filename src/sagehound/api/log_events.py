"""Reading log events: pages forwards, pages backwards, and pages of what a filter matches."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sagehound.api.log_streams import Stream
from sagehound.errors import InvalidInput
from sagehound.jobs.logs import LogLine, read_lines

#: The most events of one page, as CloudWatch has it.
PAGE = 10_000

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
    """One event that a filter found: its stream and its number in it, from 0."""

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


def matches(streams: list[Stream], place: str, limit: int, wanted: Wanted) -> tuple[list[Hit], str]:
    """At most `limit` wanted events of the streams, one stream after the other from `place` on, and the place of the
    next ones, empty where there are none. An empty place is the start of all."""
    hits: list[Hit] = []
    for name, start, skip in _places(streams, place):
        for chunk in _chunks(name, start, PAGE):
            for number, line in enumerate(chunk.lines[skip:], skip):
                if not wanted(line):
                    continue
                if len(hits) == limit:
                    at = chunk.start
                    return hits, json.dumps([name.name, at.offset_bytes, at.index, number])
                hits.append(Hit(name, chunk.start.index + number, line))
            skip = 0
    return hits, ""


def _places(streams: list[Stream], place: str) -> Iterator[tuple[Stream, Position, int]]:
    name, offset_bytes, index, skip = _parsed(place) if place else ("", 0, 0, 0)
    for stream in streams:
        if stream.name == name:
            yield stream, Position(offset_bytes, index), skip
        elif stream.name > name:
            yield stream, Position(), 0


def _parsed(place: str) -> tuple[str, int, int, int]:
    try:
        name, *numbers = json.loads(place)
        offset_bytes, index, skip = (int(number) for number in numbers)
    except (ValueError, TypeError):
        raise InvalidInput("The specified nextToken is invalid.") from None
    if not isinstance(name, str) or min(offset_bytes, index, skip) < 0:
        raise InvalidInput("The specified nextToken is invalid.")
    return name, offset_bytes, index, skip


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
