"""A folder of tensors as a source: here or in S3, while it is written or afterwards."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sagehound.debug.store import header
from sagehound.debug.store.files import Files, gone
from sagehound.debug.store.manifest_reader import ManifestReader
from sagehound.debug.store.places import END_OF_JOB, MANIFEST, tensor_file, worker_of
from sagehound.debug.store.records import Layout, Run, Step
from sagehound.debug.store.source import SourceState
from sagehound.errors import InvalidInput, TensorUnavailableForStep

#: Files whose header is remembered: a rule asks for one tensor of a step after the other.
_REMEMBERED = 16
#: Files of a manifest that are read at a time.
_AT_ONCE = 16


class FolderSource:
    """A TensorSource over what `FolderSink` writes. Only what was appended is read at a refresh, and of a step's file
    only its header and the array that is asked for.

    A damaged line of a manifest is left out and named in the state's notes. `ended` is true when every worker wrote
    its End, or the file END_OF_JOB.json is there. `first_bytes` is how much of a step's file the first look takes.
    """

    def __init__(self, files: Files, first_bytes: int = 1 << 14) -> None:
        self._files = files
        self._first_bytes = first_bytes
        self._workers: dict[str, ManifestReader] = {}
        self._runs: dict[str, Run] = {}
        self._over = False
        self._headers: OrderedDict[str, tuple[header.Header, bytes | bytearray]] = OrderedDict()

    def refresh(self) -> bool:
        # Before the manifests: whoever sees the end has then seen all that came before it.
        over = bool(self._files.sizes(END_OF_JOB))
        sizes: dict[str, dict[str, int]] = {worker: {} for worker in self._workers}
        for name, size in self._files.sizes(f"{MANIFEST}/").items():
            if worker := worker_of(name):
                sizes.setdefault(worker, {})[name] = size
        brought = over and not self._over
        for worker in sorted(sizes):
            brought = self._refresh_worker(worker, sizes[worker]) or brought
        self._over = over
        if brought:
            # A training that went on from a checkpoint may have written a step's file anew.
            self._headers.clear()
        return brought

    def runs(self) -> Mapping[str, Run]:
        return self._runs

    def steps(self, worker: str) -> Sequence[Step]:
        return self._workers[worker].steps if worker in self._runs else ()

    def layout(self, worker: str, number: int) -> Layout:
        return self._workers[worker].layouts[number]

    def read(self, worker: str, step: int, name: str) -> np.ndarray:
        file = tensor_file(worker, step)
        try:
            head, first = self._header(file)
            entry = head.entries.get(name)
            if entry is None:
                raise TensorUnavailableForStep(f"{worker} saved no array of {name} at global step {step}")
            begin, end = (head.start + offset for offset in entry.data_offsets)
            data = first[begin:end] if end <= len(first) else self._files.read(file, begin, end)
            return header.array(data, entry, name in head.complex128)
        except FileNotFoundError:
            if not self._files.exists():
                raise gone(self._files) from None
            raise TensorUnavailableForStep(f"{file} in {self._files.place} is not there, and {name} with it") from None
        except header.Damaged as error:
            raise InvalidInput(
                f"{file} in {self._files.place} is damaged: {error}. Other steps can be read; to have this one, save "
                "it again"
            ) from error

    def state(self) -> SourceState:
        workers = [self._workers[name] for name in sorted(self._runs)]
        passed: dict[str, int] = {}
        for worker in workers:
            for mode, step in worker.passed.items():
                passed[mode] = max(step, passed.get(mode, -1))
        expected = max((run.workers for run in self._runs.values()), default=1)
        return SourceState(
            ended=self._over or (len(workers) >= expected and all(worker.ended for worker in workers)),
            model=workers[0].model if workers else None,
            passed=passed,
            notes=[note for worker in workers for note in worker.notes],
        )

    def _refresh_worker(self, worker: str, sizes: Mapping[str, int]) -> bool:
        reader = self._workers.setdefault(worker, ManifestReader())
        if reader.lost(sizes):
            raise gone(self._files)
        grown = reader.grown(sizes)
        try:
            brought = [reader.take(name, data) for name, data in zip(grown, self._read_all(grown), strict=True)]
        except FileNotFoundError:
            raise gone(self._files) from None
        if reader.run is not None:
            self._runs.setdefault(worker, reader.run)
        return any(brought)

    def _read_all(self, wanted: Mapping[str, int]) -> list[bytes | bytearray]:
        """The files from these bytes on; several at a time, because in S3 each one takes a round trip."""
        if len(wanted) < 2:
            return [self._files.read(name, start) for name, start in wanted.items()]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._files.read, wanted, wanted.values()))

    def _header(self, file: str) -> tuple[header.Header, bytes | bytearray]:
        if file not in self._headers:
            first = self._files.read(file, 0, self._first_bytes)
            start = header.length(first)
            whole = first if start <= len(first) else first + self._files.read(file, len(first), start)
            self._headers[file] = (header.decode(whole), first)
            if len(self._headers) > _REMEMBERED:
                self._headers.popitem(last=False)
        return self._headers[file]
