"""The contract of an object store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sagehound.names import S3Uri

#: Called with (bytes done, bytes in all) while a transfer goes on.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object: its full key, and its size in bytes."""

    key: str
    size_bytes: int


class ObjectStore(Protocol):
    """Objects in buckets. Safe to call from any thread; a failure is NotFound or ObjectStoreError, naming the address.

    - `list` yields every object whose key starts with `prefix.key`, by key; NotFound where the bucket is missing.
    - `read` returns one object's bytes.
    - `fetch` writes one object to `path` whole or not at all, its folder made where missing.
    - `put` stores the file at `path` as `uri`; the bucket is made where missing.
    - `folder` is the local folder that holds exactly the objects under `prefix` (their keys relative to it being
      the paths in it), or None where there is no such folder: then the objects have to be fetched.
    """

    def list(self, prefix: S3Uri) -> Iterator[ObjectInfo]: ...
    def read(self, uri: S3Uri) -> bytes: ...
    def fetch(self, uri: S3Uri, path: Path) -> None: ...
    def put(self, path: Path, uri: S3Uri) -> None: ...
    def folder(self, prefix: S3Uri) -> Path | None: ...
