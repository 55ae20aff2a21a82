"""Samples of a machine: lines of JSON into a table of numbers and words."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from pathlib import PurePosixPath

import msgspec
import numpy as np
import pyarrow as pa

from sagehound.profile.columns import Columns
from sagehound.profile.series import Floats
from sagehound.profile.tables import SYSTEM, WORD
from sagehound.profile.words import word_maker

#: Where the samples are below the profiler's output.
FOLDER = "system/incremental/"
#: How far back a clock may seem to go: the parts of a machine are not sampled at the very same moment.
_JITTER_S = 1.0
_CHUNK_BYTES = 1 << 20
_TYPE = pa.field("type", WORD)


class _Line(msgspec.Struct, gc=False):
    """A line as it is documented."""

    dimension: str = msgspec.field(name="Dimension")
    value: float = msgspec.field(name="Value")
    timestamp_s: float = msgspec.field(name="Timestamp")
    node: str = msgspec.field(name="NodeId", default="algo-1")
    name: str = msgspec.field(name="Name", default="")
    kind: str = msgspec.field(name="Type", default="")


_decode = msgspec.json.Decoder(_Line)
_key = attrgetter("node", "dimension", "name", "kind")


class Samples:
    """What was read so far, in columns; `problems` says what could not be, in words for people."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str, str, str], int] = {}
        self._columns = Columns(float, float, np.int16)
        self._last_s: dict[str, float] = {}
        self._back: tuple[int, float, str] = (0, 0.0, "")
        self._broken: dict[str, int] = {}

    def feed(self, name: str, data: bytes) -> None:
        """Whole lines of the file `name`."""
        for piece in _pieces(data):
            lines = self._lines(name, piece)
            if lines:
                self._add(name, lines)

    def table(self) -> pa.Table:
        """All samples, sorted by time."""
        return self.typed_table().select(SYSTEM.names)

    def typed_table(self) -> pa.Table:
        """All samples with a column more: the "type" that the lines have ("cpu", "gpu", ...)."""
        if not self._columns:
            return SYSTEM.append(_TYPE).empty_table()
        if not self._columns.rising(0):
            self._columns.sort(lambda columns: np.argsort(columns[0], kind="stable"), 0)
        words = [self._columns.arrow(2, word_maker([key[place] for key in self._codes])) for place in range(4)]
        columns = [self._columns.arrow(0), *words[:3], self._columns.arrow(1), words[3]]
        return pa.table(columns, schema=SYSTEM.append(_TYPE))

    @property
    def problems(self) -> tuple[str, ...]:
        found = []
        if self._broken:
            first, count = next(iter(self._broken)), sum(self._broken.values())
            found.append(f"{count} {_many(count, 'line')} of system metrics could not be read, the first in {first}")
        times, far_s, where = self._back
        if times:
            found.append(
                f"the clock went back {times} {_many(times, 'time')}, by up to {far_s:.0f} s, first in {where}"
            )
        return tuple(found)

    def _lines(self, name: str, data: bytes) -> list[_Line]:
        try:
            return _decode.decode_lines(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return list(self._readable(name, data))

    def _readable(self, name: str, data: bytes) -> Iterator[_Line]:
        for line in data.split(b"\n"):
            if not line.strip():
                continue
            try:
                yield _decode.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._broken[name] = self._broken.get(name, 0) + 1

    def _add(self, name: str, lines: list[_Line]) -> None:
        count, codes = len(lines), self._codes
        keys = list(map(_key, lines))
        for key in set(keys) - codes.keys():
            codes[key] = len(codes)
        at_s = np.fromiter(map(attrgetter("timestamp_s"), lines), float, count)
        values = np.fromiter(map(attrgetter("value"), lines), float, count)
        self._columns.add(at_s, values, np.fromiter(map(codes.__getitem__, keys), np.int16, count))
        self._watch_clock(name, at_s)

    def _watch_clock(self, name: str, at_s: Floats) -> None:
        node = PurePosixPath(name).name.partition(".")[2]
        steps = np.diff(at_s, prepend=self._last_s.get(node, at_s[0]))
        self._last_s[node] = float(at_s[-1])
        back = steps[steps < -_JITTER_S]
        if len(back):
            times, far_s, where = self._back
            self._back = (times + len(back), max(far_s, float(-back.min())), where or name)


def is_whole(line: bytes) -> bool:
    """Whether the last line of a file is all there, though nothing ends it."""
    try:
        _decode.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _pieces(data: bytes) -> Iterator[bytes]:
    """The lines, so many at a time that what they are decoded into stays small."""
    start = 0
    while len(data) - start > _CHUNK_BYTES:
        end = data.rfind(b"\n", start, start + _CHUNK_BYTES) + 1 or data.find(b"\n", start) + 1 or len(data)
        yield data[start:end]
        start = end
    if start < len(data):
        yield data[start:]


def _many(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
