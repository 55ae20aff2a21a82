"""A sink that writes a folder of tensors from a thread of its own."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from sagehound.debug.store.manifest_writer import ManifestWriter
from sagehound.debug.store.places import part_file, tensor_file
from sagehound.debug.store.records import REDUCTIONS, End, Model, Note, Run, Step, written
from sagehound.debug.store.sink import SavedStep
from sagehound.debug.store.tensor_writer import WriteFile, pieces, write_file
from sagehound.errors import DebuggerError, DebuggerRuntimeError

_LIMIT_BYTES = 256 << 20
#: What a step takes beside its arrays, about: numbers alone must not fill the memory either.
_STEP_BYTES = 1000
#: Small steps are gathered for so long before they are written together: waking the thread for each one would take
#: more of the training's time than the writing.
_GATHER_S = 0.2
_GATHER_BYTES = 8 << 20


class Export(Protocol):
    """Something else that is made of each step, on the writer's thread."""

    def write(self, step: SavedStep, at: float) -> None: ...
    def close(self) -> None: ...


class FolderSink:
    """A TensorSink: one safetensors file a step, then its line in the manifest, so that no reader sees a step whose
    file is not there. At most `limit_bytes` of tensors wait; `write` blocks while there are more. Nothing is
    flushed to the medium: what is written outlives the process, not a power cut.

    In a forked child `write` raises DebuggerRuntimeError, once, and everything else does nothing.
    """

    def __init__(
        self,
        folder: str | Path,
        worker: str = "worker_0",
        workers: int = 1,
        run: Run | None = None,
        limit_bytes: int = _LIMIT_BYTES,
        export: Export | None = None,
        write_file: WriteFile = write_file,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = Path(folder).absolute()
        self._run = msgspec.structs.replace(run or Run(), worker=worker, workers=workers)
        self._limit_bytes = limit_bytes
        self._export = export
        self._write_file = write_file
        self._clock = clock
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._waiting: deque[_Item] = deque()
        self._waiting_bytes = 0
        self._idle = False
        self._closed = False
        self._said_slow = False
        self._error: DebuggerError | None = None
        self._raised = False
        self._folders: set[Path] = set()

    def write(self, step: SavedStep) -> None:
        if os.getpid() != self._pid:
            self._refuse_in_child()
            return
        size = sum(one.nbytes for one in {id(one): one for one in step.arrays.values()}.values()) + _STEP_BYTES
        self._put((step, self._clock(), size))
        if self._error is not None and not self._raised:
            self._raised = True
            raise self._error

    def describe(self, model: Model) -> None:
        if os.getpid() == self._pid:
            self._put((model, 0.0, 0))

    def note(self, step: int, text: str) -> None:
        if os.getpid() == self._pid:
            self._put((Note(step=step, text=text), 0.0, 0))

    def close(self, passed: dict[str, int]) -> None:
        if os.getpid() != self._pid or self._closed:
            return
        self._put((End(at=self._clock(), passed=dict(passed)), 0.0, 0))
        with self._lock:
            self._closed = True
            self._work.notify()
            thread = self._thread
        if thread is not None:
            thread.join()
        if self._error is not None and not self._raised:
            self._raised = True
            _say(str(self._error))

    # The training's thread

    def _put(self, item: _Item) -> None:
        with self._lock:
            if self._closed:
                raise DebuggerRuntimeError(f"the tensors in {self._folder} are closed: nothing more can be saved there")
            while self._waiting_bytes + item[2] > self._limit_bytes and self._waiting_bytes and self._error is None:
                self._say_slow()
                self._work.notify()
                self._room.wait()
            if self._error is not None:
                return
            self._waiting.append(item)
            self._waiting_bytes += item[2]
            if self._idle or self._waiting_bytes >= _GATHER_BYTES:
                self._work.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run_thread, name="sagehound-tensors", daemon=True)
                self._thread.start()

    def _say_slow(self) -> None:
        if not self._said_slow:
            self._said_slow = True
            _say(
                f"{self._waiting_bytes / 2**20:.0f} MiB of tensors wait to be written to {self._folder}: the disk is "
                "slower than the training, which waits for it from now on. Nothing is dropped. To save less, raise "
                "save_interval or save fewer collections."
            )

    def _refuse_in_child(self) -> None:
        if self._raised:
            return
        self._raised = True
        raise DebuggerRuntimeError(
            f"process {os.getpid()} was forked from {self._pid}, which writes the tensors in {self._folder}: make the "
            "hook in the process that trains"
        )

    # The writer's thread

    def _run_thread(self) -> None:
        try:
            self._write_all(ManifestWriter(self._folder, self._run))
        except Exception as error:  # noqa: BLE001 - whatever it is, the training's thread is told by the next write
            self._fail(error)
        if self._export is not None:
            self._exported(self._export.close)

    def _write_all(self, manifest: ManifestWriter) -> None:
        while items := self._next():
            try:
                while items:
                    # Let go of each step's memory once it is written.
                    self._take(manifest, items.popleft())
            finally:
                # Also what came before the step that failed.
                manifest.flush()

    def _next(self) -> deque[_Item]:
        with self._lock:
            while not self._waiting:
                if self._closed:
                    return deque()
                self._idle = True
                self._work.wait()
                self._idle = False
            if not self._closed and self._waiting_bytes < _GATHER_BYTES:
                self._work.wait(_GATHER_S)
            items, self._waiting = self._waiting, deque()
            return items

    def _take(self, manifest: ManifestWriter, item: _Item) -> None:
        record, at, size = item
        if not isinstance(record, SavedStep):
            manifest.add(record)
            return
        tensors = record.arrays if record.reductions is None else record.arrays | {REDUCTIONS: record.reductions}
        if tensors:
            self._save(tensor_file(self._run.worker, record.step), pieces(tensors))
        number = manifest.layout(record.tensors)
        manifest.add(
            Step(
                step=record.step,
                mode=record.mode,
                mode_step=record.mode_step,
                layout=number,
                at=at,
                scalars={name: written(float(value)) for name, value in record.scalars.items()},
                file=bool(tensors),
                facts=record.facts,
            )
        )
        if tensors:
            manifest.flush()
        if self._export is not None:
            export = self._export
            self._exported(lambda: export.write(record, at))
        with self._lock:
            self._waiting_bytes -= size
            self._room.notify_all()

    def _save(self, name: str, buffers: list[memoryview]) -> None:
        path, part = self._folder / name, self._folder / part_file(self._run.worker)
        if path.parent not in self._folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(path.parent)
        try:
            self._write_file(part, buffers)
            part.rename(path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise OSError(error.errno, error.strerror, str(path)) from error

    def _exported(self, export: Callable[[], None]) -> None:
        try:
            export()
        except Exception as error:  # noqa: BLE001 - the tensors are saved all the same
            self._export = None
            _say(f"the TensorBoard export stopped: {type(error).__name__}: {error}")

    def _fail(self, error: Exception) -> None:
        if isinstance(error, OSError):
            where, cause = error.filename or self._folder, error.strerror or error
        else:
            where, cause = self._folder, f"{type(error).__name__}: {error}"
        with self._lock:
            self._error = DebuggerError(f"tensors can no longer be saved, {where} could not be written: {cause}")
            self._error.__cause__ = error
            self._waiting.clear()
            self._waiting_bytes = 0
            self._room.notify_all()


_Item = tuple[SavedStep | Model | Note | End, float, int]


def _say(text: str) -> None:
    print(f"sagehound: {text}", file=sys.stderr, flush=True)
