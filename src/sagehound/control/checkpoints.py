"""A job's checkpoints, kept in step with S3."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sagehound.errors import NotFound
from sagehound.names import S3Uri
from sagehound.objects.store import ObjectStore
from sagehound.objects.transfers import fetch_all


class Checkpoints:
    """The files in `folders` (one a host) and the objects under `uri`, whose keys are the files' paths.

    As on AWS what a job deletes stays in S3, and hosts share one prefix.
    """

    def __init__(self, objects: ObjectStore, uri: str, folders: Sequence[Path]) -> None:
        self._objects = objects
        parsed = S3Uri.parse(uri)
        self._prefix = S3Uri(parsed.bucket, f"{parsed.key.rstrip('/')}/" if parsed.key else "")
        self._folders = folders
        self._stored: dict[Path, tuple[int, int]] = {}

    def bring_down(self) -> int:
        """Fetch what an earlier job left, for every host; how many objects there were."""
        try:
            found = [info for info in self._objects.list(self._prefix) if not info.key.endswith("/")]
        except NotFound:
            return 0
        for folder in self._folders:
            wanted = []
            for info in found:
                path = folder / info.key.removeprefix(self._prefix.key)
                if path.resolve().is_relative_to(folder.resolve()):
                    wanted.append((S3Uri(self._prefix.bucket, info.key), info.size_bytes, path))
            fetch_all(self._objects, wanted)
        self._stored = dict(self._files())
        return len(found)

    def sync(self) -> int:
        """Store every file that is new or changed since the last time; how many there were."""
        count = 0
        for path, version in list(self._files()):
            if self._stored.get(path) == version:
                continue
            folder = next(folder for folder in self._folders if path.is_relative_to(folder))
            try:
                self._objects.put(path, self._prefix / path.relative_to(folder).as_posix())
            except FileNotFoundError:
                continue  # the job replaced or removed it in the meantime
            self._stored[path] = version
            count += 1
        return count

    def _files(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        for folder in self._folders:
            for above, _, names in os.walk(folder):
                for path in (Path(above) / name for name in names):
                    try:
                        status = path.lstat()
                    except FileNotFoundError:
                        continue
                    if path.is_file() and not path.is_symlink():
                        yield path, (status.st_mtime_ns, status.st_size)
