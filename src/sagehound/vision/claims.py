"""Claims between processes of one machine: who of several makes what all of them need."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def claim(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold the lock file `path`: False where another process holds it, which `wait` waits for.

    The kernel ends the claim of a process that dies. OSError where the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            # One who waits for it gets a file that nobody else finds any more. Both look for what was made before
            # they make it, so at worst it is made twice.
            path.unlink(missing_ok=True)
