"""Whether the packages that were imported are still those on the disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

_JOBS = Path(__file__).parent
_OURS = (_JOBS, _JOBS.parent / "dropin")


def fingerprint(sites: Iterable[str], names: Iterable[str]) -> str:
    """Changes when a package is installed into, updated in or removed from the folders `sites`, when a package of
    `names` is found elsewhere or is written anew, and when the code that starts jobs is. Costs a millisecond or two."""
    digest = hashlib.sha256()
    for line in (*_folders(sites), *_packages(names), *_own()):
        digest.update(line.encode(errors="surrogateescape") + b"\n")
    return digest.hexdigest()


def _folders(sites: Iterable[str]) -> Iterator[str]:
    for site in sites:
        yield f"{site} {_time(site)}"
        yield from _entries(site, (".dist-info", ".egg-info", ".pth"))


def _packages(names: Iterable[str]) -> Iterator[str]:
    for name in sorted({name.split(".")[0] for name in names}):
        spec = find_spec(name)
        yield f"{name} {spec.origin} {_time(spec.origin)}" if spec and spec.origin else f"{name} is not here"


def _own() -> Iterator[str]:
    for folder in _OURS:
        yield from _entries(str(folder), (".py",))


def _entries(folder: str, endings: tuple[str, ...]) -> Iterator[str]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(endings))  # noqa: PTH208 - see _time
    except OSError:
        return
    for name in names:
        yield f"{name} {_time(f'{folder}/{name}')}"


def _time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - hundreds of them, at every job
    except OSError:
        return 0
