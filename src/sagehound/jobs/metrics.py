"""The metrics that a job printed: `metrics.jsonl` in its folder, one `{"name", "value", "at"}` a line."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from sagehound.records.training import Metric

METRICS_FILE = "metrics.jsonl"
_CHUNK_BYTES = 1 << 20
#: Jobs whose last values are remembered: more than run side by side on one machine.
_REMEMBERED = 64

_decode = msgspec.json.Decoder(Metric).decode


def datapoints(folder: Path, name: str = "") -> list[Metric]:
    """Every value printed so far, in order; those of `name` alone where one is given. `at` is in epoch seconds."""
    return [point for points, _ in datapoints_from(folder, 0) for point in points if not name or point.name == name]


def datapoints_from(folder: Path, offset_bytes: int) -> Iterator[tuple[list[Metric], int]]:
    """The values printed from `offset_bytes` of the file on, a piece at a time, each with the offset after it."""
    for lines, end_bytes in _read(folder, offset_bytes):
        yield [_decode(line) for line in lines], end_bytes


def final(folder: Path) -> tuple[Metric, ...]:
    """The last value of each metric, in the order in which they first appeared.

    What was read once is not read again: a job that is asked for every second may print a million values.
    """
    with _lock:
        tail = _tails.setdefault(folder, _Tail())
        _tails.move_to_end(folder)
        if len(_tails) > _REMEMBERED:
            _tails.popitem(last=False)
    return tail.read(folder)


def begin_again(folder: Path) -> None:
    """Drop what was printed: the job is run once more."""
    path = folder / METRICS_FILE
    if path.exists():
        os.truncate(path, 0)


@dataclass(slots=True)
class _Tail:
    """The last values in a file as far as it was read."""

    offset_bytes: int = 0
    last: dict[str, Metric] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, folder: Path) -> tuple[Metric, ...]:
        with self.lock:
            if _size(folder) < self.offset_bytes:  # Another file by now.
                self.offset_bytes, self.last = 0, {}
            for points, offset_bytes in datapoints_from(folder, self.offset_bytes):
                self.offset_bytes = offset_bytes
                self.last |= {point.name: point for point in points}
            return tuple(self.last.values())


_tails: OrderedDict[Path, _Tail] = OrderedDict()
_lock = threading.Lock()


def _size(folder: Path) -> int:
    try:
        return (folder / METRICS_FILE).stat().st_size
    except FileNotFoundError:
        return 0


def _read(folder: Path, offset_bytes: int) -> Iterator[tuple[list[bytes], int]]:
    """The whole lines from `offset_bytes` on, a chunk at a time, each with the offset after it."""
    try:
        file = (folder / METRICS_FILE).open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(offset_bytes)
        rest = b""
        while chunk := file.read(_CHUNK_BYTES):
            whole, end, rest = (rest + chunk).rpartition(b"\n")
            offset_bytes += len(whole) + len(end)
            if end:
                yield whole.split(b"\n"), offset_bytes
