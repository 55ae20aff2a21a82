"""A worker's manifest as it grows."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sagehound.debug.store.records import End, Layout, Model, Note, Record, Run, Step


class ManifestReader:
    """What the records of one worker amount to, taken in file by file and line by line.

    `steps` only grows. A step that was saved again after a resume stands there twice, and the later one counts. What
    cannot be read becomes a Note that names the file and the line; everything else is kept.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self.steps: list[Step] = []
        self.layouts: dict[int, Layout] = {}
        self.model: Model | None = None
        self.notes: list[Note] = []
        self.passed: dict[str, int] = {}
        self.ended = False
        #: Bytes taken in, by file; only whole lines count.
        self._taken: dict[str, int] = {}
        self._lines: dict[str, int] = {}
        self._missing: set[int] = set()

    def lost(self, sizes: Mapping[str, int]) -> bool:
        """Whether something that was taken in is there no more: the folder was removed, or another run's is there."""
        return any(sizes.get(name, -1) < taken for name, taken in self._taken.items())

    def grown(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """The files that hold more than was taken in, each with the byte to read from."""
        return {name: self._taken.get(name, 0) for name, size in sizes.items() if size > self._taken.get(name, 0)}

    def take(self, name: str, data: bytes | bytearray) -> bool:
        """Take in what a file holds from where the last call ended; a line that is not whole yet is left."""
        end = data.rfind(b"\n") + 1
        if not end:
            return False
        self._taken[name] = self._taken.get(name, 0) + end
        data = data[:end]
        try:
            records = _DECODER.decode_lines(data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            records = self._readable(name, data)
        self._lines[name] = self._lines.get(name, 0) + data.count(b"\n")
        for record in records:
            self._add(name, record)
        return True

    def _add(self, name: str, record: Record) -> None:
        match record:
            case Step(layout=layout):
                if layout in self.layouts:
                    self.steps.append(record)
                elif layout not in self._missing:
                    # Its line was damaged; the reader is told once.
                    self._missing.add(layout)
                    self._note(f"steps from {record.step} on are left out: {name} lacks what tensors they have")
            case Run():
                self.run = self.run or record
                self.ended = False
            case Layout(number=number):
                self.layouts[number] = record
            case Model():
                self.model = record
            case Note():
                self.notes.append(record)
            case End(passed=passed):
                self.passed = passed
                self.ended = True

    def _readable(self, name: str, data: bytes | bytearray) -> list[Record]:
        records: list[Record] = []
        first = self._lines.get(name, 0) + 1
        for number, line in enumerate(bytes(data).split(b"\n")[:-1], first):
            try:
                records.append(_DECODER.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                self._note(f"line {number} of {name} is damaged and was left out: {error}")
        return records

    def _note(self, text: str) -> None:
        self.notes.append(Note(step=self.steps[-1].step if self.steps else 0, text=text))


_DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
