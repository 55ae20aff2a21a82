"""An `ObjectStore` over a plain folder: a bucket is a folder in it, an object a file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from sagehound.errors import NotFound
from sagehound.names import S3Uri
from sagehound.objects.store import ObjectInfo


class FolderStore:
    """Objects as files under `root`. Set `shows_folders` False to act as a store that has no local folder."""

    def __init__(self, root: Path, shows_folders: bool = True) -> None:
        self._root = root
        self._shows_folders = shows_folders

    def list(self, prefix: S3Uri) -> Iterator[ObjectInfo]:
        bucket = self._root / prefix.bucket
        if not bucket.is_dir():
            raise NotFound(f"there is no bucket {prefix.bucket}")
        keys = sorted(str(path.relative_to(bucket)) for path in bucket.rglob("*") if path.is_file())
        return (ObjectInfo(key, (bucket / key).stat().st_size) for key in keys if key.startswith(prefix.key))

    def read(self, uri: S3Uri) -> bytes:
        return self._existing(uri).read_bytes()

    def fetch(self, uri: S3Uri, path: Path) -> None:
        source = self._existing(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.part")
        shutil.copyfile(source, draft)
        draft.replace(path)

    def put(self, path: Path, uri: S3Uri) -> None:
        target = self._root / uri.bucket / uri.key
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.part")
        shutil.copyfile(path, draft)
        draft.replace(target)

    def folder(self, prefix: S3Uri) -> Path | None:
        path = self._root / prefix.bucket / prefix.key
        return path if self._shows_folders and path.is_dir() else None

    def _existing(self, uri: S3Uri) -> Path:
        path = self._root / uri.bucket / uri.key
        if not path.is_file():
            raise NotFound(f"there is no object {uri}")
        return path
