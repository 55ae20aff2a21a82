"""A bounded folder of files by key, shared by all processes of the machine, any of which may be killed at any time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from safetensors import SafetensorError

from sagehound.vision.claims import claim

#: What is written takes seconds; an unfinished file this much older than a finished one was left by a killed process.
_ABANDONED_S = 3600


class SharedFolder:
    """Files are in place whole or not at all. Where the folder cannot be written, nothing is kept, and `trouble` says
    why; that is no reason to stop."""

    def __init__(self, folder: Path, limit_bytes: int, suffix: str) -> None:
        self._folder = folder
        self._suffix = suffix
        self.limit_bytes = limit_bytes
        self.trouble: OSError | SafetensorError | None = None

    def path(self, key: str) -> Path:
        """Where the file of `key` is, if it is there."""
        return self._folder / f"{key}{self._suffix}"

    @contextlib.contextmanager
    def claim(self, key: str, wait: bool) -> Iterator[bool]:
        """Hold `key`: False where another process holds it, which `wait` waits for."""
        with contextlib.ExitStack() as stack:
            try:
                claimed = stack.enter_context(claim(self._folder / f"{key}.lock", wait))
            except OSError as error:
                self.trouble = error
                claimed = True  # Nobody else can keep it there either.
            yield claimed

    def keep(self, key: str, write: Callable[[Path], None]) -> bool:
        """Let `write` make the file; False where that failed."""
        unfinished = self._folder / f"{key}.{os.getpid()}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write(unfinished)
            with unfinished.open("rb") as file:
                os.fsync(file.fileno())  # Else a power cut may leave the name without the content.
            unfinished.replace(self.path(key))
        except (OSError, SafetensorError) as error:  # the latter is how safetensors reports a full disk
            self.trouble = error
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            return False
        return True

    def touch(self, key: str) -> None:
        """The file of `key` is wanted: of all it is the last to be dropped."""
        with contextlib.suppress(OSError):
            os.utime(self.path(key))

    def prune(self) -> None:
        """Drop the oldest files beyond the limit, and what killed processes left unfinished."""
        with contextlib.suppress(OSError):  # a folder of others' that can only be read
            self._prune()

    def _prune(self) -> None:
        kept = 0
        files = sorted(self._files(self._suffix), key=lambda file: file[1].st_mtime_ns, reverse=True)
        for path, stat in files:
            kept += stat.st_size
            if kept > self.limit_bytes:
                path.unlink(missing_ok=True)
        for path, stat in self._files(".part"):
            if files and files[0][1].st_mtime - stat.st_mtime > _ABANDONED_S:
                path.unlink(missing_ok=True)

    def _files(self, suffix: str) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._folder.glob(f"*{suffix}"):
            with contextlib.suppress(FileNotFoundError):  # another process dropped it
                yield path, path.stat()
