"""Curves of a training: what its script printed, and losses that were saved."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from sagehound.profile.downsample import extremes
from sagehound.profile.tables import CURVES

#: A loss that was saved: seconds since the epoch, name, value.
Loss = tuple[float, str, float]
#: More points than these are not shown by any screen: the highest and lowest of each stretch are kept.
POINTS = 20_000
_CHUNK_BYTES = 1 << 20


class _Point(msgspec.Struct, gc=False):
    name: str
    value: float | None
    at: float


_decode = msgspec.json.Decoder(_Point)


class Curves:
    """The metrics of a job as far as they were read."""

    def __init__(self) -> None:
        self._read_bytes = 0
        self._names: dict[str, list[np.ndarray]] = {}
        self._broken = 0

    def read(self, path: Path) -> None:
        """What was added to a job's metrics.jsonl, one `{"name", "value", "at"}` a line; none is no error."""
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            return
        with file:
            file.seek(self._read_bytes)
            rest = b""
            while chunk := file.read(_CHUNK_BYTES):
                whole, end, rest = (rest + chunk).rpartition(b"\n")
                self._read_bytes += len(whole) + len(end)
                self._add(whole)

    def table(self, losses: Iterable[Loss] = ()) -> pa.Table:
        """Every name's points (at most `POINTS`, extremes kept), sorted by time."""
        by_name = {name: np.concatenate(pieces, axis=1) for name, pieces in self._names.items()}
        saved: dict[str, list[tuple[float, float]]] = {}
        for at_s, name, value in losses:
            saved.setdefault(name, []).append((at_s, value))
        # What the script printed under a name goes before what the debugger saved under it.
        by_name |= {name: np.array(points).T for name, points in saved.items() if name not in by_name}
        tables = [_table(name, *extremes(at_s, values, POINTS)) for name, (at_s, values) in by_name.items()]
        return pa.concat_tables([CURVES.empty_table(), *tables]).sort_by("timestamp_s")

    @property
    def problems(self) -> tuple[str, ...]:
        return (f"{self._broken} lines of the job's metrics could not be read",) if self._broken else ()

    def _add(self, data: bytes) -> None:
        try:
            points = _decode.decode_lines(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            points = self._readable(data)
        for name in dict.fromkeys(map(attrgetter("name"), points)):
            own = [(point.at, point.value) for point in points if point.name == name and point.value is not None]
            self._names.setdefault(name, []).append(np.array(own, dtype=float).reshape(-1, 2).T)

    def _readable(self, data: bytes) -> list[_Point]:
        found = []
        for line in filter(bytes.strip, data.split(b"\n")):
            try:
                found.append(_decode.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._broken += 1
        return found


def _table(name: str, at_s: np.ndarray, values: np.ndarray) -> pa.Table:
    return pa.table([at_s, pa.array([name] * len(at_s), type=pa.string()), values], schema=CURVES)
