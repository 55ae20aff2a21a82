"""The files of a timeline, as they are written: trace_format.py says what stands in them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from sagehound.profile.process_name import ProcessName
from sagehound.profile.step_record import StepRecord, gaps
from sagehound.profile.trace_format import EVENTS_FOLDER, PHASES, SHORT_GAP, STEPS, SUFFIX, WINDOW_ROW, rows
from sagehound.profile.wall_clock import WallClock

_MAX_BYTES, _CLOSE_S = 10 * 2**20, 60.0
#: Rows and records are told apart by the row alone, so one thread is enough in each.
_THREAD = 1


class TraceFiles:
    """Writes steps. A file is open for `close_s` seconds or until it has `max_bytes`, and is whole after each `flush`:
    the closing bracket is written over by what comes next. Not for several threads."""

    def __init__(
        self,
        folder: Path,
        process: ProcessName,
        clock: WallClock,
        max_bytes: int = _MAX_BYTES,
        close_s: float = _CLOSE_S,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._process, self._clock = folder / EVENTS_FOLDER, process, clock
        self._max_bytes, self._close_s, self._now_s = max_bytes, close_s, now_s
        self._lines: list[str] = []
        self._file: int | None = None
        self._size = 0
        self._closes_s = 0.0
        self._zero_us = self._base_ns = 0
        #: Whether anything was written.
        self.began = False

    def step(self, record: StepRecord) -> None:
        """One step and its phases; they are in the file after the next `flush`."""
        self._open(record.start_ns)
        row, name = STEPS[record.mode]
        args = f'"args":{{"pid":{self._process.pid},"step_num":"{record.index}","mode":"{record.mode}"}}}}'
        start_ns, end_ns = record.start_ns, record.end_ns
        self._event(name, "step", row, start_ns, end_ns, args)
        least_ns = SHORT_GAP * (end_ns - start_ns)
        # This runs beside the training and takes of its time: what `_event` does, without a call for each.
        base_ns, append = self._base_ns, self._lines.append
        for name, begin_ns, over_ns in (*record.phases, *gaps(record.phases, start_ns, end_ns, least_ns)):
            start = (begin_ns + base_ns) // 1000
            append(f'{_PHASE[name]}{start},"dur":{(over_ns + base_ns) // 1000 - start},{args}')

    def window(self, name: str, step: int, start_ns: int, end_ns: int) -> None:
        """A stretch of time in which something more was looked at, from that step on, counted in all modes."""
        self._open(start_ns)
        args = f'"args":{{"pid":{self._process.pid},"step_num":"{step}"}}}}'
        self._event(name, "window", WINDOW_ROW[0], start_ns, end_ns, args)

    def flush(self) -> None:
        """Write what was given."""
        if self._file is None or not self._lines:
            return
        data = ",\n".join(self._lines).encode() + b"\n]\n"
        lead = b",\n" if self._size else b"[\n"
        at = max(0, self._size - len(b"\n]\n"))
        self._lines.clear()
        _write_all(self._file, lead + data, at)
        self._size = at + len(lead) + len(data)

    def close(self) -> None:
        """Write all there is; the next step begins another file."""
        try:
            self.flush()
        finally:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def rotate(self) -> None:
        """Close the file where it is time to."""
        if self._file is not None and (self._now_s() >= self._closes_s or self._size >= self._max_bytes):
            self.close()

    def _open(self, start_ns: int) -> None:
        if self._file is not None:
            return
        now_s = self._now_s()
        self._clock.renew()
        self._closes_s = now_s + self._close_s
        self._zero_us = self._clock.epoch_ns(start_ns) // 1000
        self._base_ns = self._clock.epoch_ns(0) - self._zero_us * 1000
        self._size = 0
        self.began = True
        folder = self._folder / time.strftime("%Y%m%d%H", time.gmtime(self._closes_s))
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{int(self._closes_s * 1e6)}_{self._process}{SUFFIX}"
        self._file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        self._lines = self._head()

    def _head(self) -> list[str]:
        title = f"{self._process.node} {self._process.pid}"
        head = [_meta("process_name", 0, {"name": title, "start_time_since_epoch_in_micros": self._zero_us})]
        head.append(_meta("process_sort_index", 0, {"sort_index": 0}))
        for row, name in rows():
            head.append(_meta("process_name", row, {"name": name}))
            head.append(_meta("process_sort_index", row, {"sort_index": row}))
            head.append(_meta("thread_name", row, {"name": title}))
        return head

    def _event(self, name: str, category: str, row: int, start_ns: int, end_ns: int, args: str) -> None:
        # Both ends are cut to whole microseconds, so that what touches goes on touching.
        start = (start_ns + self._base_ns) // 1000
        duration = (end_ns + self._base_ns) // 1000 - start
        self._lines.append(f'{_lead(name, category, row)}{start},"dur":{duration},{args}')


def _lead(name: str, category: str, row: int) -> str:
    return f'{{"name":"{name}","cat":"{category}","ph":"X","pid":{row},"tid":{_THREAD},"ts":'


_PHASE = {name: _lead(name, "phase", row) for name, (row, _) in PHASES.items()}


def _meta(name: str, row: int, args: dict[str, object]) -> str:
    return json.dumps({"name": name, "ph": "M", "pid": row, "tid": _THREAD if row else 0, "args": args})


def _write_all(file: int, data: bytes, at: int) -> None:
    """In one call where the system takes it, so that who reads meanwhile finds whole JSON."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, at)
        view, at = view[written:], at + written
