"""The embedded object store as its service sees it: read as the folder that it is, written over S3."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from sagehound.errors import NotFound
from sagehound.names import S3Uri
from sagehound.objects.s3 import S3Objects
from sagehound.objects.store import ObjectInfo

#: rclone's drafts of uploads that go on.
_DRAFTS = (".rclone_temp_", ".rclone_multipart_upload_")


class EmbeddedObjects:
    """`ObjectStore` whose buckets are the folders in `root`, served by `remote`.

    Writing goes through the server, which would otherwise believe for a while what it read of a folder before.
    As the server does, it leaves symbolic links alone.
    """

    def __init__(self, root: Path, remote: S3Objects) -> None:
        self._root = root.resolve()
        self._remote = remote

    def list(self, prefix: S3Uri) -> Iterator[ObjectInfo]:
        bucket = self._root / prefix.bucket
        if not bucket.is_dir():
            raise NotFound(f"{prefix}: there is no bucket {prefix.bucket}")
        above, _, start = prefix.key.rpartition("/")
        within = f"{above}/" if above else ""
        if _regular(prefix.key) and (bucket / above).is_dir():
            yield from _objects(bucket / above, within, start)

    def read(self, uri: S3Uri) -> bytes:
        return self._file(uri).read_bytes()

    def fetch(self, uri: S3Uri, path: Path) -> None:
        source = self._file(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{uuid.uuid4().hex}.part")
        try:
            shutil.copyfile(source, draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def put(self, path: Path, uri: S3Uri) -> None:
        self._remote.put(path, uri)

    def folder(self, prefix: S3Uri) -> Path | None:
        path = self._root / prefix.bucket / prefix.key
        if not _regular(prefix.key) or not path.is_dir() or path.resolve() != path:
            return None
        if prefix.key and not prefix.key.endswith("/") and _has_siblings(path):
            return None
        return path

    def _file(self, uri: S3Uri) -> Path:
        path = self._root / uri.bucket / uri.key
        if not uri.key or uri.key.endswith("/") or not _regular(uri.key) or not path.is_file():
            raise NotFound(f"{uri}: there is no such object")
        if path.resolve() != path:
            raise NotFound(f"{uri}: a symbolic link is not an object; copy the file itself there")
        return path


def _regular(key: str) -> bool:
    """Whether the key is the path of a file in its bucket, and of that file alone."""
    parts = key.removesuffix("/").split("/")
    return not key or not any(part in ("", ".", "..") for part in parts)


def _has_siblings(path: Path) -> bool:
    with os.scandir(path.parent) as entries:
        return any(entry.name.startswith(path.name) and entry.name != path.name for entry in entries)


def _objects(folder: Path, within: str, start: str) -> Iterator[ObjectInfo]:
    """The objects in `folder` by key, those alone whose name in it starts with `start`."""
    with os.scandir(folder) as scan:
        found = [entry for entry in scan if entry.name.startswith(start) and not entry.name.startswith(_DRAFTS)]
    # S3 compares whole keys: "a.txt" comes before "a/b", because "." comes before "/".
    for entry in sorted(found, key=lambda entry: os.fsencode(f"{entry.name}/" if entry.is_dir() else entry.name)):
        if entry.is_dir(follow_symlinks=False):
            yield from _objects(Path(entry.path), f"{within}{entry.name}/", "")
        elif entry.is_file(follow_symlinks=False):
            yield ObjectInfo(within + entry.name, entry.stat().st_size)
