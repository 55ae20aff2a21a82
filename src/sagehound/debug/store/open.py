"""Opens tensors wherever they are, whoever wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sagehound.debug.store.files import Files, LocalFiles
from sagehound.debug.store.original import OriginalSource
from sagehound.debug.store.original_index import COLLECTIONS, INDEX
from sagehound.debug.store.places import MANIFEST
from sagehound.debug.store.reader import FolderSource
from sagehound.debug.store.records import Layout, Run, Step
from sagehound.debug.store.source import SourceState, TensorSource
from sagehound.errors import InvalidInput

#: How much of a step's file the first look takes where each request takes milliseconds.
_FIRST_BYTES_S3 = 1 << 18


def open_source(path: str | Path) -> TensorSource:
    """The tensors in a folder or below an S3 URI, written by this package or by the original debugger.

    Where nothing is yet, the source is empty until something comes: how long to wait is the caller's affair.
    """
    if str(path).startswith("s3://"):
        from sagehound.s3_files import S3Files

        return AwaitedSource(S3Files(str(path)), _FIRST_BYTES_S3)
    if Path(path).is_file():
        raise InvalidInput(f"{path} is a file: give the folder that tensors were saved in, or an S3 URI")
    return AwaitedSource(LocalFiles(path), 1 << 14)


class AwaitedSource:
    """A source whose kind shows when its first file is there."""

    def __init__(self, files: Files, first_bytes: int) -> None:
        self._files = files
        self._first_bytes = first_bytes
        self._found: TensorSource | None = None

    def refresh(self) -> bool:
        self._found = self._found or self._look()
        return self._found.refresh() if self._found else False

    def runs(self) -> Mapping[str, Run]:
        return self._found.runs() if self._found else {}

    def steps(self, worker: str) -> Sequence[Step]:
        return self._found.steps(worker) if self._found else ()

    def layout(self, worker: str, number: int) -> Layout:
        return self._source().layout(worker, number)

    def read(self, worker: str, step: int, name: str) -> np.ndarray:
        return self._source().read(worker, step, name)

    def state(self) -> SourceState:
        return self._found.state() if self._found else SourceState()

    def _look(self) -> TensorSource | None:
        if self._files.sizes(f"{MANIFEST}/"):
            return FolderSource(self._files, self._first_bytes)
        if self._files.sizes(COLLECTIONS) or self._files.sizes(INDEX):
            return OriginalSource(self._files)
        return None

    def _source(self) -> TensorSource:
        if self._found is None:
            self._found = self._look()
        if self._found is None:
            raise InvalidInput(f"nothing was saved in {self._files.place} yet")
        return self._found
