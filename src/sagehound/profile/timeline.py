"""The thread that makes files of what the hooks note."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from sagehound.profile.assembly import Assembler
from sagehound.profile.facts_file import FactsFile
from sagehound.profile.marks import WINDOW, Mark, Marks
from sagehound.profile.process_name import ProcessName
from sagehound.profile.trace_file import TraceFiles
from sagehound.profile.wall_clock import WallClock
from sagehound.watching.trouble import cause_of, say

#: A process that is killed loses what it did since the thread last looked.
_LOOKS_EACH_S = 0.5

Facts = Callable[[], Mapping[str, str | float]]


class Timeline:
    """Writes steps until it is closed. Nothing is made on disk before the first step has ended. When writing fails, it
    says so once and what follows is let go. While it is not `wanted`, steps are counted and not written."""

    def __init__(
        self, folder: Path, marks: Marks, facts: Facts, wanted: Callable[[], bool], *, max_bytes: int, close_s: float
    ) -> None:
        self._marks, self._wanted = marks, wanted
        self._pid = os.getpid()
        self._assembler = Assembler()
        process = ProcessName.here()
        self._files = TraceFiles(folder, process, WallClock(), max_bytes, close_s)
        self._facts, self._facts_file = facts, FactsFile(folder, process)
        self._stop = threading.Event()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failed = False
        self._later: deque[Callable[[], None]] = deque()

    def later(self, call: Callable[[], None]) -> None:
        """Have something done by the thread, or by `close`."""
        self._later.append(call)

    def start(self) -> None:
        """Look every now and then from now on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sagehound-timeline", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Write all steps that have ended."""
        self._write(last=False)

    def close(self) -> None:
        """Write all there is, and end. A fork of the process that made it does nothing."""
        if os.getpid() != self._pid:
            return
        self._stop.set()
        self._write(last=True)

    def _run(self) -> None:
        while not self._stop.wait(_LOOKS_EACH_S):
            self._write(last=False)

    def _write(self, last: bool) -> None:
        with self._turn:
            noted = self._taken()
            try:
                if not self._failed:
                    self._write_marks(noted, last)
            except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
                self._failed = True
                say("profile", f"the timeline ends here: {cause_of(error)}")
        while self._later:
            try:
                self._later.popleft()()
            except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
                say("profile", f"the operators are not summed: {cause_of(error)}")

    def _write_marks(self, noted: list[Mark], last: bool) -> None:
        self._files.rotate()
        wanted = self._wanted()
        for record in (*self._assembler.feed(noted), *(self._assembler.close() if last else ())):
            if wanted:
                self._files.step(record)
        for kind, start_ns, end_ns, more in noted:
            if kind is WINDOW and wanted:
                name, step = more
                self._files.window(name, step, start_ns, end_ns)
        if last:
            self._files.close()
        else:
            self._files.flush()
        if self._files.began:
            self._facts_file.write(self._facts())

    def _taken(self) -> list[Mark]:
        marks, noted = self._marks, []
        while marks:
            noted.append(marks.popleft())
        return noted
