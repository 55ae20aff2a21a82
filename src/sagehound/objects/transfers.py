"""Many objects at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from sagehound.names import S3Uri
from sagehound.objects.store import ObjectStore, Progress

_AT_ONCE = 16


def fetch_all(
    objects: ObjectStore, wanted: Sequence[tuple[S3Uri, int, Path]], progress: Progress | None = None
) -> None:
    """Fetch every (address, size in bytes, file); the first failure is raised once the transfers begun have ended."""

    def fetch(uri: S3Uri, size_bytes: int, path: Path) -> int:
        objects.fetch(uri, path)
        return size_bytes

    _all([partial(fetch, *item) for item in wanted], sum(size for _, size, _ in wanted), progress)


def put_all(objects: ObjectStore, files: Iterable[tuple[Path, S3Uri]]) -> None:
    """Store every (file, address); the first failure is raised once the transfers begun have ended."""

    def put(path: Path, uri: S3Uri) -> int:
        objects.put(path, uri)
        return 0

    _all([partial(put, *item) for item in files], 0, None)


def _all(steps: Sequence[Callable[[], int]], in_all: int, progress: Progress | None) -> None:
    failed = threading.Event()
    done, lock = 0, threading.Lock()

    def run(step: Callable[[], int]) -> None:
        nonlocal done
        if failed.is_set():
            return
        try:
            moved = step()
        except BaseException:
            failed.set()
            raise
        with lock:
            done += moved
            if progress:
                progress(done, in_all)

    with ThreadPoolExecutor(_AT_ONCE, "transfer") as pool:
        results = [pool.submit(run, step) for step in steps]
    for result in results:
        result.result()
