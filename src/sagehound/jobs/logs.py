"""Reading the logs of a job or an endpoint: one file a host, each line `<epoch milliseconds> <text>`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sagehound.errors import NotFound
from sagehound.jobs.lines import LineWriter

__all__ = ["LineWriter", "LogLine", "hosts", "log_path", "read_lines"]

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log and when it was written, in milliseconds since the epoch."""

    at_ms: int
    text: str


def log_path(folder: Path, host: str) -> Path:
    """The log file of `host` in a job's or an endpoint's folder."""
    return folder / f"{host}.log"


def hosts(folder: Path) -> list[str]:
    """Names of the hosts that have a log in `folder`, sorted (algo-2 before algo-10); none where there is no folder."""
    return sorted((path.stem for path in folder.glob("*.log")), key=_by_number)


def read_lines(folder: Path, host: str, offset_bytes: int = 0, limit: int = 10_000) -> tuple[list[LogLine], int]:
    """At most `limit` whole lines from `offset_bytes` on, and the offset at which the next ones begin.

    A line that is still being written is left for the next call. NotFound where the host has no log.
    """
    if not _HOST.fullmatch(host):
        raise NotFound(f"{host!r} is no host's name; the hosts of a job are algo-1, algo-2, ...")
    lines: list[LogLine] = []
    try:
        with log_path(folder, host).open("rb") as file:
            file.seek(offset_bytes)
            while len(lines) < limit and (raw := file.readline()).endswith(b"\n"):
                lines.append(_parse(raw))
                offset_bytes += len(raw)
    except FileNotFoundError:
        raise NotFound(f"host {host} has no log in {folder}: it has not started") from None
    return lines, offset_bytes


def offset_at(folder: Path, host: str, at_ms: int) -> int:
    """The offset of the first line written at `at_ms` or later; the file's end where there is none.

    Found by halving, for lines lie in the order of time; where the machine's clock was set back, somewhat off.
    """
    try:
        file = log_path(folder, host).open("rb")
    except FileNotFoundError:
        return 0
    with file:
        low, high = 0, file.seek(0, os.SEEK_END)
        while low < high:
            middle = (low + high) // 2
            file.seek(middle)
            if middle > low:
                file.readline()  # To the start of a line.
            start, raw = file.tell(), file.readline()
            if start < high and raw.endswith(b"\n") and _parse(raw).at_ms < at_ms:
                low = start + len(raw)
            elif middle > low:
                high = middle
            else:
                return low
    return low


def _parse(raw: bytes) -> LogLine:
    stamp, _, text = raw[:-1].decode(errors="replace").partition(" ")
    return LogLine(int(stamp), text) if stamp.isdigit() else LogLine(0, raw[:-1].decode(errors="replace"))


def _by_number(host: str) -> tuple[str, int]:
    stem, _, number = host.rpartition("-")
    return (stem, int(number)) if number.isdigit() else (host, 0)
