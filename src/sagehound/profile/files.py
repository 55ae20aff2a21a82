"""Files below one place, on this machine or in S3, that a profile is read from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Protocol

from sagehound.errors import InvalidInput


class Files(Protocol):
    """Files that may grow and be added while they are read.

    - `place` names it for people: an absolute path, an S3 URI.
    - `sizes` has every file below the folder `prefix` (relative, with slashes; "" for all), in the order of the names,
      with its size in bytes. Nothing there is no error.
    - `read` gives what is in a file from `start` on; FileNotFoundError where there is none of that name. Called from
      several threads.
    - `side_by_side` is how many reads at once are worth it.
    """

    @property
    def place(self) -> str: ...
    @property
    def side_by_side(self) -> int: ...
    def sizes(self, prefix: str) -> Mapping[str, int]: ...
    def read(self, name: str, start: int = 0) -> bytes: ...


class LocalFiles:
    """A folder on this machine."""

    side_by_side = 1

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder).expanduser().absolute()
        if self._folder.is_file():
            raise InvalidInput(f"{folder} is a file: give the folder that holds system/ and framework/, or an S3 URI")

    @property
    def place(self) -> str:
        return str(self._folder)

    def sizes(self, prefix: str) -> Mapping[str, int]:
        found: dict[str, int] = {}
        _walk(str(self._folder / prefix), prefix, found)
        return dict(sorted(found.items()))

    def read(self, name: str, start: int = 0) -> bytes:
        try:
            with (self._folder / name).open("rb") as file:
                file.seek(start)
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(f"{self._folder / name}") from None
        except OSError as error:
            raise InvalidInput(f"{self._folder / name} could not be read: {error.strerror or error}") from error


def open_files(path: str | Path) -> Files:
    """The files in a folder, or below an S3 URI: endpoint, region and keys are those of the environment."""
    if str(path).startswith("s3://"):
        from sagehound.s3_files import S3Files

        return S3Files(str(path))
    return LocalFiles(path)


def read_all(files: Files, wanted: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, bytes]]:
    """What is in each file from its start on, in order; no more of them in memory than are read side by side. A file
    that is gone by now is left out."""
    if files.side_by_side == 1:
        yield from ((name, start, data) for name, start in wanted if (data := _read(files, name, start)) is not None)
        return
    rest = iter(wanted)
    with ThreadPoolExecutor(files.side_by_side) as pool:
        while batch := list(islice(rest, files.side_by_side)):
            for (name, start), data in zip(batch, pool.map(lambda each: _read(files, *each), batch), strict=True):
                if data is not None:
                    yield name, start, data


def _read(files: Files, name: str, start: int) -> bytes | None:
    try:
        return files.read(name, start)
    except FileNotFoundError:
        return None


def _walk(path: str, name: str, found: dict[str, int]) -> None:
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir():
                    _walk(entry.path, f"{name}{entry.name}/", found)
                elif entry.is_file():
                    found[name + entry.name] = entry.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        # Removed while it was listed, or not there yet.
        return
    except OSError as error:
        raise InvalidInput(f"{error.filename or path} could not be read: {error.strerror or error}") from error
