"""Unpacking archives that users hand in, without leaving the folder they are unpacked into."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Self

from sagehound.errors import InvalidInput
from sagehound.jobs.packing import pack

__all__ = ["MAX_BYTES", "MAX_FILES", "pack", "unpack"]

#: What an archive may hold unpacked, unless the caller says otherwise.
MAX_BYTES = 64 * 1024**3
MAX_FILES = 500_000


#: Longer names and attributes are no one's: tarfile reads them into memory before any entry is seen.
_MAX_HEADER_BYTES = 1024 * 1024
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class _Header(tarfile.TarInfo):
    """An entry's header; InvalidInput where it announces gigabytes of names."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _HEADERS and header.size > _MAX_HEADER_BYTES:
            raise InvalidInput(f"the archive holds a header of {header.size} bytes; make it with: tar czf")
        return header


def unpack(archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> None:
    """Unpack a tar (plain, gzip, bzip2 or xz) into `folder`, which is made, and must be empty where it exists.

    All or nothing. InvalidInput, naming the entry, for an absolute name or one with `..`, a link that leaves the
    folder, a device or pipe, more than `max_bytes` or `max_files`, and for what is no whole tar. OSError where the
    disk is full. Owners are not kept; of the permissions, those of the owner, and reading and executing by others.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _unpack_into(archive, draft, max_bytes, max_files)
        draft.chmod(0o755)
        draft.rename(folder)
    except (tarfile.TarError, EOFError, zlib.error) as problem:
        raise InvalidInput(f"{archive.name} is no whole tar.gz archive ({problem}); make it with: tar czf") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _unpack_into(archive: Path, folder: Path, max_bytes: int, max_files: int) -> None:
    links: list[tuple[Path, str]] = []
    with tarfile.open(archive, "r:*", tarinfo=_Header) as tar:
        for count, member in enumerate(tar, 1):
            if count > max_files:
                raise InvalidInput(f"{archive.name} holds more than {max_files} entries, the most that is unpacked")
            _check(archive, member)
            if member.issym():
                links.append((folder / member.name, member.linkname))
            else:
                max_bytes -= _extract(tar, member, folder, max_bytes)
    # Links come last, so that no entry can be written through one.
    for path, target in links:
        _link(archive, path, target)


def _check(archive: Path, member: tarfile.TarInfo) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\0" in member.name:
        raise InvalidInput(f"{archive.name} holds {member.name!r}, which leaves the folder; names must be relative")
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        raise InvalidInput(f"{archive.name} holds {member.name!r}, a device or pipe; only files, folders and links may")
    if member.issym() and not _stays_inside(name, PurePosixPath(member.linkname)):
        raise InvalidInput(f"{archive.name} holds the link {member.name!r} to {member.linkname!r}, outside the folder")


def _stays_inside(link: PurePosixPath, target: PurePosixPath) -> bool:
    """Whether a link's target is inside whatever other links there are: `..` only in front, no higher than the top."""
    ups = [part == ".." for part in target.parts]
    leading = ups.index(False) if False in ups else len(ups)
    return not target.is_absolute() and not any(ups[leading:]) and leading < len(link.parts)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, max_bytes: int) -> int:
    """Write a file or folder and return its size, which may be at most `max_bytes`."""
    path = folder / member.name
    try:
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
            return 0
        path.parent.mkdir(parents=True, exist_ok=True)
        # A hard link is copied: extractfile follows it to the earlier entry of this archive, and nowhere else.
        source = tar.extractfile(member)
        if source is None:
            raise InvalidInput(f"the archive's link {member.name!r} points at {member.linkname!r}, which is no file")
        size = tar.getmember(member.linkname).size if member.islnk() else member.size
        if size > max_bytes:
            raise InvalidInput(f"the archive unpacks to more than is allowed, at {member.name!r}")
        with source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 1024 * 1024)
    except (KeyError, FileExistsError, IsADirectoryError, NotADirectoryError) as problem:
        raise InvalidInput(f"the archive's entry {member.name!r} cannot be unpacked: {problem}") from None
    path.chmod(member.mode & 0o755 | 0o600)
    return size


def _link(archive: Path, path: Path, target: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    except OSError as problem:
        raise InvalidInput(f"{archive.name}: the link {path.name!r} cannot be made: {problem.strerror}") from None
