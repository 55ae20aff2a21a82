"""Folders that a job writes while it runs, kept in step with S3: tensors, TensorBoard's files, profiles."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sagehound.errors import NotFound
from sagehound.names import S3Uri
from sagehound.objects.store import ObjectStore
from sagehound.objects.transfers import put_all

#: Files that are renamed into place when they are whole, and never change: the arrays of one step.
_WRITTEN_ONCE = ".safetensors"
#: Names of what is not whole yet.
_DRAFTS = (".part", ".tmp", ".draft")
#: A folder that has not changed for so long is looked at again only when its time of change moves.
_SETTLED_NS = 2 * 10**9


@dataclass(frozen=True, slots=True)
class _Look:
    """One folder as it was found: when it had changed last, and what is in it."""

    path: str
    changed_ns: int
    files: list[os.DirEntry[str]]
    folders: list[str]


@dataclass(slots=True)
class _Known:
    """One folder as it was stored. `changed_ns` is set where all in it was, and nothing of it grows any more."""

    changed_ns: int | None = None
    folders: list[str] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)


class GrowingFolder:
    """The files in `folders` (one a host) and the objects under `uri`, whose keys are the files' paths.

    Files that grow (a manifest, event files) are stored as they were at the begin of a sync, after the files that were
    written once: whoever reads the objects finds every file that a manifest speaks of. Folders that hold only such
    files and do not change are not looked into again, so a sync costs what is new, not what is there. What the job
    removes stays in S3. Calls from several threads take turns.

    `rest_ns`: a folder whose files have not changed for so long gets no more, until the last sync (None: never so).
    """

    def __init__(
        self,
        objects: ObjectStore,
        uri: S3Uri,
        folders: Sequence[Path],
        scratch: Path,
        clock_ns: Callable[[], int] = time.time_ns,
        rest_ns: int | None = None,
    ) -> None:
        self._objects = objects
        self._uri = uri
        self._folders = folders
        self._scratch = scratch
        self._clock_ns = clock_ns
        self._rest_ns = rest_ns
        self._known: dict[str, _Known] = {}
        self._grown: dict[str, tuple[int, int]] = {}
        self._there: dict[str, int] | None = None
        self._turn = threading.Lock()

    @property
    def uri(self) -> S3Uri:
        return self._uri

    def sync(self, over: bool = False) -> int:
        """Store what is new or has grown since the last time; how many files that were. `over`: nothing grows any
        more, and no room for copies is needed."""
        with self._turn:
            folders = [folder for folder in self._folders if folder.is_dir()]
            return sum(self._sync(folder, over) for folder in folders)

    def _sync(self, root: Path, over: bool) -> int:
        if self._there is None:
            self._there = self._listed()
        if over:
            self._wake()
            return self._store(root, None)
        with tempfile.TemporaryDirectory(prefix="sync", dir=self._scratch) as scratch:
            return self._store(root, Path(scratch))

    def _store(self, root: Path, scratch: Path | None) -> int:
        grown = self._snapshots(root, scratch)
        count = self._store_written_once(root)
        # In their order: of two files of a manifest the earlier one is whole before the later one is there.
        for path, key, version in grown:
            self._objects.put(path, self._uri / key)
            self._grown[str(root / key)] = version
        return count + len(grown)

    def _listed(self) -> dict[str, int]:
        """What an earlier service stored of this job, with its size."""
        prefix = S3Uri(self._uri.bucket, f"{self._uri.key}/")
        try:
            found = {info.key.removeprefix(prefix.key): info.size_bytes for info in self._objects.list(prefix)}
        except NotFound:
            return {}
        return {key: size for key, size in found.items() if key.endswith(_WRITTEN_ONCE)}

    def _snapshots(self, root: Path, scratch: Path | None) -> list[tuple[Path, str, tuple[int, int]]]:
        """Copies in `scratch` of the files that grew, or themselves; their keys and the versions they are of."""
        files = [entry for look in self._looks(str(root)) for entry in look.files if not _written_once(entry)]
        found: list[tuple[Path, str, tuple[int, int]]] = []
        for path in sorted(entry.path for entry in files):
            copy = scratch / str(len(found)) if scratch else Path(path)
            try:
                status = Path(path).stat()
                version = (status.st_mtime_ns, status.st_size)
                if self._grown.get(path) == version:
                    continue
                if scratch:
                    shutil.copyfile(path, copy)
            except FileNotFoundError:
                continue  # the job removed it in the meantime
            found.append((copy, Path(path).relative_to(root).as_posix(), version))
        return found

    def _store_written_once(self, root: Path) -> int:
        count = 0
        for look in list(self._looks(str(root))):
            known = self._known.setdefault(look.path, _Known())
            fresh = [entry for entry in look.files if _written_once(entry) and entry.name not in known.stored]
            count += self._put(root, fresh)
            known.stored.update(entry.name for entry in fresh)
            known.folders = look.folders
            still = self._clock_ns() - look.changed_ns > _SETTLED_NS
            known.changed_ns = look.changed_ns if still and all(map(self._rests, look.files)) else None
        return count

    def _rests(self, entry: os.DirEntry[str]) -> bool:
        """Whether the file is stored as it will stay. One that is taken for it wrongly is stored by the last sync."""
        if _written_once(entry) or self._rest_ns is None:
            return _written_once(entry)
        status = entry.stat()
        stored = self._grown.get(entry.path) == (status.st_mtime_ns, status.st_size)
        return stored and self._clock_ns() - status.st_mtime_ns > self._rest_ns

    def _wake(self) -> None:
        """Have every folder looked into again, but for those where nothing grows."""
        if self._rest_ns is not None:
            for known in self._known.values():
                known.changed_ns = None

    def _looks(self, folder: str) -> Iterator[_Look]:
        """`folder` and those below it; but for those that cannot have changed."""
        known = self._known.get(folder)
        try:
            changed_ns = Path(folder).stat().st_mtime_ns
            if known is not None and known.changed_ns == changed_ns:
                below = known.folders
            else:
                with os.scandir(folder) as scan:
                    entries = [entry for entry in scan if not entry.name.endswith(_DRAFTS)]
                below = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
                files = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
                yield _Look(folder, changed_ns, files, below)
        except FileNotFoundError:
            return  # the job removed it in the meantime
        for name in below:
            yield from self._looks(f"{folder}/{name}")

    def _put(self, root: Path, entries: Sequence[os.DirEntry[str]]) -> int:
        there = self._there or {}
        wanted = []
        for entry in entries:
            key = Path(entry.path).relative_to(root).as_posix()
            if there.get(key) != entry.stat().st_size:
                wanted.append((Path(entry.path), self._uri / key))
        put_all(self._objects, wanted)
        return len(wanted)


def _written_once(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(_WRITTEN_ONCE)
