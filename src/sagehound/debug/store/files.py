"""The contract of a folder that tensors are read from, and the folder on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sagehound.errors import InvalidInput, MissingCollectionFiles


class Files(Protocol):
    """Files below one place, which may grow and be added while they are read.

    - `place` names it for people: an absolute path, an S3 URI.
    - `sizes` has every file whose name (relative, with slashes) begins with `prefix`, a folder's name with its
      slash, in the order of the names, with its size in bytes.
    - `read` gives the bytes from `start` to before `end` (to the end of the file for None), fewer where the file ends
      before; FileNotFoundError where there is none of that name. Called from several threads.
    - `exists` tells whether there is anything at the place.
    """

    @property
    def place(self) -> str: ...
    def sizes(self, prefix: str) -> Mapping[str, int]: ...
    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | bytearray: ...
    def exists(self) -> bool: ...


class LocalFiles:
    """A folder on this machine."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder).expanduser().absolute()

    @property
    def place(self) -> str:
        return str(self._folder)

    def sizes(self, prefix: str) -> Mapping[str, int]:
        """The files below the folder that `prefix` names, or that prefix itself where it is a file."""
        path = self._folder / prefix
        found: dict[str, int] = {}
        with _worded(path):
            if prefix.endswith("/"):
                _walk(str(path), prefix, found)
            elif path.is_file():
                found[prefix] = path.stat().st_size
        return dict(sorted(found.items()))

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | bytearray:
        # Read, not mapped: a file that is cut while it is mapped kills the process with SIGBUS.
        path = self._folder / name
        with _worded(path), path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            data = bytearray(max(0, (size if end is None else min(end, size)) - start))
            file.seek(start)
            view, at = memoryview(data), 0
            while at < len(data) and (got := file.readinto(view[at:])):
                at += got
            return data if at == len(data) else data[:at]

    def exists(self) -> bool:
        return self._folder.is_dir()


@contextmanager
def _worded(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(str(path)) from None
    except OSError as error:
        raise InvalidInput(f"{error.filename or path} could not be read: {error.strerror or error}") from error


def _walk(path: str, name: str, found: dict[str, int]) -> None:
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir():
                    _walk(entry.path, f"{name}{entry.name}/", found)
                else:
                    found[name + entry.name] = entry.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        # Removed while it was listed, or not there yet: the caller sees that nothing is there.
        return


def gone(files: Files) -> MissingCollectionFiles:
    """The error where a place that had tensors has them no more."""
    return MissingCollectionFiles(
        f"the tensors in {files.place} were removed, or replaced by another run's, while they were read"
    )
