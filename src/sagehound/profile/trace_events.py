"""Chrome trace events in the files of the timeline: from text into events, and events into a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

import msgspec

Kind = TypeVar("Kind")


class Args(msgspec.Struct, gc=False):
    """What a record says beside its time."""

    name: str | None = None
    start_us: int | None = msgspec.field(name="start_time_since_epoch_in_micros", default=None)
    pid: int | None = None
    step: int | str | None = msgspec.field(name="step_num", default=None)
    mode: str = ""


class Record(msgspec.Struct, gc=False):
    """One line of a trace."""

    name: str = ""
    phase: str = msgspec.field(name="ph", default="")
    category: str = msgspec.field(name="cat", default="")
    ts: float = 0.0
    duration_us: float = msgspec.field(name="dur", default=0.0)
    pid: int | str = 0
    args: Args | None = None


class Reader(Generic[Kind]):
    """Reads records as one kind of struct."""

    def __init__(self, kind: type[Kind]) -> None:
        self._many: msgspec.json.Decoder[list[Kind]] = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
        self._one: msgspec.json.Decoder[Kind] = msgspec.json.Decoder(kind)

    def read(self, data: bytes) -> tuple[Sequence[Kind], int, int]:
        """The records in a piece of a trace's text, how many lines were none, and where the last whole record ends.

        The piece begins at the file's start or where an earlier one ended; the file may be under way or cut.
        """
        end = data.rfind(b"}") + 1
        text = data[:end].lstrip(b"[, \r\n\t")
        if not text:
            return (), 0, 0
        try:
            return self._many.decode(b"[" + text + b"]"), 0, end
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._line_by_line(data)

    def _line_by_line(self, data: bytes) -> tuple[Sequence[Kind], int, int]:
        found: list[Kind] = []
        broken = at = end = 0
        for line in data.splitlines(keepends=True):
            at += len(line)
            text = line.strip(b"[], \r\n\t")
            if not text:
                continue
            try:
                found.append(self._one.decode(text))
            except (msgspec.DecodeError, UnicodeDecodeError):
                # The last line may be one that is being written.
                broken += line.endswith(b"\n")
                continue
            end = at
        return found, broken, end if found else 0


_reader = Reader(Record)


def records(data: bytes) -> tuple[Sequence[Record], int, int]:
    """As `Reader.read`, of records with what the timeline's table has."""
    return _reader.read(data)


def rows_named(found: Sequence[Record]) -> Iterator[tuple[int | str, str]]:
    """The rows of a trace and their names."""
    for record in found:
        if record.phase == "M" and record.name == "process_name" and record.args and record.args.name:
            yield record.pid, record.args.name


def start_of(found: Sequence[Record]) -> int | None:
    """What the times of a trace count from, in microseconds since the epoch; None where this piece does not say."""
    starts = (record.args.start_us for record in found if record.phase == "M" and record.args)
    return next((start for start in starts if start is not None), None)
