"""Files known by their content, without reading them every time."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

#: A file changed so shortly before it was read may be changed again without its times telling.
_SETTLED_S = 3.0
_MOST_ENTRIES = 200_000
_HEADER = "sagehound contents 1"

Say = Callable[[str], None]


class Contents:
    """SHA-256 of files' contents, remembered in the file `index` while a file's device, inode, size and times of change
    (of which nobody can set the last) stay the same. Without `index`, every file is read.

    A damaged index is begun anew, with a line in the log.
    """

    def __init__(self, index: Path | None, say: Say, now: Callable[[], float] = time.time) -> None:
        self._index = index
        self._now = now
        self._new: dict[str, str] = {}
        self._known = _read(index, say) if index else {}

    def digest(self, path: Path) -> bytes:
        """Of the file's bytes; of the reason where it cannot be read."""
        try:
            stat = path.stat()
            # The path is left out: a job sees a channel under another one.
            key = f"{stat.st_dev}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
            if known := self._known.get(key):
                return bytes.fromhex(known)
            began_s = self._now()
            digest = hashlib.sha256(path.read_bytes())
        except OSError as error:
            return hashlib.sha256(str(error).encode()).digest()
        if began_s - max(stat.st_mtime, stat.st_ctime) > _SETTLED_S:
            self._new[key] = digest.hexdigest()
        return digest.digest()

    def remember(self) -> None:
        """Add what was read to the index. OSError where it cannot be written."""
        if not self._index or not self._new:
            return
        # Another process may have written since; what both lose at the same moment is only read once more.
        entries = [*(_read(self._index, lambda line: None) | self._new).items()][-_MOST_ENTRIES:]
        self._known, self._new = dict(entries), {}
        body = "".join(f"{key} {digest}\n" for key, digest in entries)
        self._index.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._index.with_suffix(f".{os.getpid()}.part")
        unfinished.write_text(f"{_HEADER} {_checksum(body)}\n{body}")
        unfinished.replace(self._index)


def _read(index: Path, say: Say) -> dict[str, str]:
    try:
        header, _, body = index.read_text().partition("\n")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        say(f"{index} cannot be read ({error}): every photo is read instead")
        return {}
    if header != f"{_HEADER} {_checksum(body)}":
        say(f"{index} is damaged or of another version: it is begun anew")
        return {}
    return dict(line.split(" ", 1) for line in body.splitlines())


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
