"""Turning a process's output into the lines of a log. Imports little: the shim that supervises a job starts with it."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: A longer line is cut into pieces of this size, at a character's boundary.
MAX_LINE_BYTES = 64 * 1024
#: A progress bar (text ended by a bare carriage return) is logged once in this time, and when it is done.
PROGRESS_INTERVAL_S = 2.0


class LineWriter:
    """Appends lines to a log file, each as `<epoch milliseconds> <text>\\n`.

    `feed` takes a process's output as it comes; `say` writes a line of our own. `on_line(at_s, text)` is called for
    each line after it is written. Carriage returns overwrite, as on a terminal: what a progress bar shows is logged
    every `PROGRESS_INTERVAL_S` and at its end. A full disk loses lines (`lost`), it does not stop the process.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.time,
        on_line: Callable[[float, str], None] | None = None,
    ) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._clock = clock
        self._on_line = on_line
        self._rest = b""
        self._progress_at = 0.0
        self._last = 0.0
        #: Lines that the disk had no room for.
        self.lost = 0

    def say(self, text: str) -> None:
        """Write `text` as a line of its own; what was unfinished is ended first."""
        self.flush()
        self._write([line.encode() for line in text.splitlines()])

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the process's output; whole lines are written at once."""
        *lines, rest = (self._rest + data).split(b"\n")
        shown = [_shown(line) for line in lines]
        if b"\r" in rest[:-1]:
            bar, rest = rest.rsplit(b"\r", 1) if not rest.endswith(b"\r") else (rest[:-1], rest[-1:])
            shown += self._due_progress(_shown(bar))
            rest = rest if rest != b"\r" else _shown(bar) + b"\r"
        while len(rest) > MAX_LINE_BYTES:
            piece = _cut(rest)
            shown.append(piece)
            rest = rest[len(piece) :]
        self._rest = rest
        self._write([piece for line in shown for piece in _pieces(line)])

    def flush(self) -> None:
        """Write what has no line end yet as a line."""
        rest, self._rest = self._rest, b""
        if rest.strip(b"\r"):
            self._write(_pieces(_shown(rest)))

    def close(self) -> None:
        self.flush()
        os.close(self._fd)

    def _due_progress(self, text: bytes) -> list[bytes]:
        now = self._clock()
        if not text or now - self._progress_at < PROGRESS_INTERVAL_S:
            return []
        self._progress_at = now
        return [text]

    def _write(self, lines: list[bytes]) -> None:
        if not lines:
            return
        # Times in a log never go back, though a clock may: readers find a moment by halving the file.
        now = self._last = max(self._last, self._clock())
        stamp = b"%d " % int(now * 1000)
        data = b"".join(stamp + line + b"\n" for line in lines)
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            self.lost += len(lines)
        if self._on_line:
            for line in lines:
                self._on_line(now, line.decode(errors="replace"))


def _shown(line: bytes) -> bytes:
    """What a terminal shows of a line: the text after the last carriage return that was followed by any."""
    if b"\r" not in line:
        return line
    return next((part for part in reversed(line.split(b"\r")) if part), b"")


def _pieces(line: bytes) -> list[bytes]:
    pieces = []
    while len(line) > MAX_LINE_BYTES:
        pieces.append(_cut(line))
        line = line[len(pieces[-1]) :]
    return [*pieces, line]


def _cut(line: bytes) -> bytes:
    end = MAX_LINE_BYTES
    while end > MAX_LINE_BYTES - 4 and line[end] & 0xC0 == 0x80:
        end -= 1
    return line[:end]
