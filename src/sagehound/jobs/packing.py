"""Packing folders into a tar.gz: model.tar.gz and output.tar.gz."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from sagehound.jobs.gzip_writer import GzipWriter


def is_empty(folder: Path) -> bool:
    """Whether there is no such folder, or nothing in it."""
    return not folder.is_dir() or next(folder.iterdir(), None) is None


def pack(folders: Sequence[Path], archive: Path) -> list[str]:
    """Pack what is in `folders` into `archive`, whole or not at all; where two hold the same name the first one wins.

    Links that lead out of their folder are packed as the files they point at, so that the archive can be unpacked
    anywhere; such links inside a folder that was itself linked are not followed, or one to / would pack the machine.
    Returns the names that were left out: sockets, pipes, devices, links to nothing, and those. OSError where the disk
    is full or a file cannot be read.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    draft = archive.with_name(f".{archive.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            left_out = _write(folders, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(archive)
    finally:
        draft.unlink(missing_ok=True)
    return left_out


def _write(folders: Sequence[Path], file: IO[bytes]) -> list[str]:
    left_out, seen = [], set()
    compressed = GzipWriter(file)
    try:
        with tarfile.open(fileobj=cast(IO[bytes], compressed), mode="w|", bufsize=1024 * 1024) as tar:
            for folder in folders:
                for path in _walk(folder):
                    name = str(path.relative_to(folder))
                    if name not in seen:
                        seen.add(name)
                        left_out += [] if _add(tar, path, name, folder) else [name]
    finally:
        compressed.close()
    return left_out


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)


def _add(tar: tarfile.TarFile, path: Path, name: str, folder: Path) -> bool:
    if path.is_symlink() and not _inside(path, folder):
        return _add_target(tar, path, name)
    member = tar.gettarinfo(path, name)
    # None for a socket, whatever the annotations of the library say.
    if member is None or not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        return False
    if member.isfile():
        with path.open("rb") as content:
            tar.addfile(member, content)
    else:
        tar.addfile(member)
    return True


def _add_target(tar: tarfile.TarFile, path: Path, name: str) -> bool:
    """Pack what a link outside its folder points at, under the link's name."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # it points at nothing, or at itself
        return False
    if target.is_file():
        with target.open("rb") as content:
            member = tar.gettarinfo(arcname=name, fileobj=content)
            tar.addfile(member, content)
        return True
    if (
        not target.is_dir()
        or target.is_relative_to("/proc")
        or target.is_relative_to("/sys")
        or path.is_relative_to(target)
    ):
        return False
    complete = True
    for inner in _walk(target):
        if inner.is_symlink() and not _inside(inner, target):
            complete = False
        else:
            complete &= _add(tar, inner, f"{name}/{inner.relative_to(target)}", target)
    return complete


def _inside(link: Path, folder: Path) -> bool:
    target = Path(os.path.normpath(link.parent / link.readlink()))
    # lexists first would take a link to itself for one that leads somewhere.
    return not link.readlink().is_absolute() and target.is_relative_to(folder) and os.path.exists(target)  # noqa: PTH110
