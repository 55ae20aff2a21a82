"""A worker's manifest: records appended to files of a thousand steps."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from sagehound.debug.store.places import END_OF_JOB, STEPS_A_FILE, manifest_file
from sagehound.debug.store.records import Layout, Record, Run, Step, TensorInfo


class ManifestWriter:
    """Appends records. Each file begins with the worker's Run and repeats the layouts that its steps refer to, so it
    can be read alone.

    Where the folder has a manifest of this worker already, this one goes on in a file of its own, after cutting off
    what a killed writer left of its last line.
    """

    def __init__(self, folder: Path, run: Run) -> None:
        self._folder = folder
        self._run = run
        self._encoder = msgspec.json.Encoder()
        self._file = self._next_file()
        # A file has at most a thousand layouts, so numbers that begin here were given by no earlier writer.
        self._next_layout = self._file * STEPS_A_FILE
        self._numbers: dict[tuple[TensorInfo, ...], int] = {}
        # A hook hands over the same tuple again and again; comparing 200 descriptions costs more than the rest.
        self._last: tuple[tuple[TensorInfo, ...], int] = ((), -1)
        self._in_file: set[int] = set()
        self._steps = 0
        self._pending: list[bytes] = []
        self._started = False

    def layout(self, tensors: tuple[TensorInfo, ...]) -> int:
        """The number of this layout, recorded in the present file if it is new there."""
        self._begin()
        if self._steps == STEPS_A_FILE:
            self.flush()
            self._file += 1
            self._started = False
            self._begin()
        if self._last[0] is not tensors or self._last[1] < 0:
            if tensors not in self._numbers:
                self._numbers[tensors] = self._next_layout
                self._next_layout += 1
            self._last = (tensors, self._numbers[tensors])
        number = self._last[1]
        if number not in self._in_file:
            self._in_file.add(number)
            self.add(Layout(number, tensors))
        return number

    def add(self, record: Record) -> None:
        """Take a record; `flush` writes it."""
        self._begin()
        self._steps += isinstance(record, Step)
        line = self._encoder.encode(record)
        # JSON has no NaN and no infinity: the encoder writes null, which no reader would take for a number.
        if b"null" in line:
            line = self._encoder.encode(_finite(msgspec.to_builtins(record)))
        self._pending += (line, b"\n")

    def flush(self) -> None:
        """Append what was added. Where the disk takes only a part, whole lines of it stay."""
        if not self._pending:
            return
        data = b"".join(self._pending)
        self._pending.clear()
        path = self.path
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        if self._started:
            # Not created anew: that a folder was removed meanwhile is an error.
            descriptor = os.open(path, flags)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, flags | os.O_CREAT, 0o666)
        try:
            _append(descriptor, data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from error
        finally:
            os.close(descriptor)
        self._started = True

    @property
    def path(self) -> Path:
        """The file that is appended to."""
        return self._folder / manifest_file(self._run.worker, self._file)

    def _begin(self) -> None:
        if not self._started and not self._pending:
            self._in_file.clear()
            self._steps = 0
            self._pending += (self._encoder.encode(self._run), b"\n")

    def _next_file(self) -> int:
        folder = (self._folder / manifest_file(self._run.worker, 0)).parent
        files = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
        if not files:
            return 0
        _cut_torn_line(files[-1])
        # The mark that an earlier job's service left: this run is not over.
        (self._folder / END_OF_JOB).unlink(missing_ok=True)
        return int(files[-1].stem) + 1


def _append(descriptor: int, data: bytes) -> None:
    size, written = os.fstat(descriptor).st_size, 0
    try:
        while written < len(data):
            written += os.write(descriptor, memoryview(data)[written:])
    except OSError:
        os.ftruncate(descriptor, size + data.rfind(b"\n", 0, written) + 1)
        raise


def _cut_torn_line(path: Path) -> None:
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    if end < len(data):
        os.truncate(path, end)


def _finite(value: object) -> object:
    """The same without what has a number that JSON cannot write: that field is then unknown."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items() if not _infinite(each)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(each) for each in value]
    return value


def _infinite(value: object) -> bool:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(isinstance(each, float) and not math.isfinite(each) for each in value)
    return isinstance(value, float) and not math.isfinite(value)
