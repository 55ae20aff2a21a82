"""The process that owns a job: its scripts, their logs, its metrics, and the record of how it ended.

The launcher starts it and it goes on by itself: `kill -9` of the service does not touch it. It holds a lock on
`shim.json` in the job's folder as long as it lives, which tells everyone whether it does, and leaves `exit.json`.
It imports little: the time it takes to start is part of every job's.
"""

# pathlib takes longer to import than most of what is done here.
# ruff: noqa: PTH123

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys

from sagehound.jobs.keeper import Unwound
from sagehound.jobs.supervision import Supervision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from sagehound.jobs.keeper import Execute

LAUNCH_FILE, CLAIM_FILE, EXIT_FILE, STOP_FILE = "launch.json", "shim.json", "exit.json", "stop.json"
#: Room kept on the disk for the exit record, so that a job that filled the disk can still say so.
_RESERVED_BYTES = 8192


def main(folder: str) -> None:
    """Claim the job in `folder` and run it in a process of its own; returns (exits 0) as soon as it is claimed."""
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        said = os.read(reader, 4096)
        if not said.startswith(b"ok"):
            sys.exit(said.decode() or "the supervising process died as it started")
        os._exit(0)
    os.close(reader)
    own(folder, writer)


def own(folder: str, writer: int, execute: Execute = os.execvpe) -> NoReturn:
    """Claim the job and run it in this process, which ends with it. "ok" goes to `writer` once it is claimed, or what
    is in the way. `execute` is how a forked process becomes the script."""
    # Before the claim: from then on a stop may come as a signal.
    wakeup = _catch_signals()
    try:
        claimed = _claim(folder)
    except OSError as problem:
        _answer(writer, f"the job's folder cannot be written: {problem}")
        os._exit(1)
    _detach(folder)
    _answer(writer, "ok")
    if claimed:
        _run(folder, wakeup, execute)
    os._exit(0)


def _answer(writer: int, text: str) -> None:
    """Say `text` to who asked; who was killed meanwhile does not hear it, and the job goes on all the same."""
    try:
        os.write(writer, text.encode())
    except BrokenPipeError:
        pass
    finally:
        os.close(writer)


def _claim(folder: str) -> bool:
    """Whether the job is this process's to run: nobody has it, and nobody ever had."""
    claim = os.open(f"{folder}/{CLAIM_FILE}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    if os.fstat(claim).st_size:
        return False
    _write_durably(f"{folder}/{EXIT_FILE}.reserved", b" " * _RESERVED_BYTES)
    os.write(claim, json.dumps({"pid": os.getpid()}).encode())
    os.fsync(claim)
    _sync_folder(folder)
    return True


def _run(folder: str, wakeup: int, execute: Execute) -> None:
    with open(f"{folder}/{LAUNCH_FILE}") as file:
        launch: dict[str, Any] = json.load(file)
    supervision = Supervision(launch, wakeup, lambda: _stop_grace(folder), execute)
    try:
        record = supervision.run()
    except Unwound:
        raise
    except BaseException as problem:  # noqa: BLE001 - whatever happens, the job's end is recorded
        import traceback

        traceback.print_exc()
        record = supervision.broken(problem)
    _leave(folder, record)


def _leave(folder: str, record: dict[str, Any]) -> None:
    """Write the exit record into the room reserved for it, then give it its name."""
    draft = f"{folder}/{EXIT_FILE}.reserved"
    with open(draft, "r+b") as file:
        file.write(json.dumps(record).encode().ljust(_RESERVED_BYTES))
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, f"{folder}/{EXIT_FILE}")  # noqa: PTH104
    _sync_folder(folder)


def _stop_grace(folder: str) -> float | None:
    """How long the scripts have to end after a stop, in seconds; None where nobody asked for one."""
    try:
        with open(f"{folder}/{STOP_FILE}") as file:
            return float(json.load(file)["grace_s"])
    except FileNotFoundError:
        return None


def _catch_signals() -> int:
    """SIGTERM wakes the loop by way of a pipe, whose reading end is returned."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return reader


def _detach(folder: str) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    errors = os.open(f"{folder}/shim.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(errors, 2)
    os.close(null)
    os.close(errors)


def _write_durably(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
