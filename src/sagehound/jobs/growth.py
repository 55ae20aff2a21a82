"""Being told when files grow: by the kernel where it can (Linux's inotify), else by looking once a second."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path

_MODIFIED = 0x2
_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, getattr(os, "O_CLOEXEC", 0)
_EVENT = struct.Struct("iIII")
_BUFFER_BYTES = 64 * 1024
#: Growths of one file within this time are one.
TOGETHER_S = 0.02
_LOOK_S = 1.0


class Growth:
    """Calls `grown(key)` in the event loop some time after a watched file has grown, once for what came together.

    A file is made where it is not there yet, in a folder that is. Costs nothing while nothing grows (without inotify:
    while nothing is watched). To be used in one event loop.
    """

    def __init__(self, grown: Callable[[str], None]) -> None:
        self._grown = grown
        self._files: dict[str, Path] = {}
        self._numbers: dict[int, str] = {}
        self._due: set[str] = set()
        self._inotify: _Inotify | None = None
        self._looking: asyncio.Task[None] | None = None

    def watch(self, key: str, path: Path) -> None:
        """Watch the file from now on; what it holds already is reported too."""
        path.touch()
        self._files[key] = path
        if self._inotify is None and self._looking is None:
            self._begin()
        if self._inotify is not None:
            self._numbers[self._inotify.add(path)] = key
        if path.stat().st_size:
            self._report(key)

    def forget(self, key: str) -> None:
        """Watch it no more."""
        self._files.pop(key, None)
        for number in [number for number, of in self._numbers.items() if of == key]:
            del self._numbers[number]
            if self._inotify is not None:
                self._inotify.remove(number)

    def close(self) -> None:
        """Watch nothing any more."""
        for key in list(self._files):
            self.forget(key)
        if self._inotify is not None:
            asyncio.get_running_loop().remove_reader(self._inotify.descriptor)
            self._inotify.close()
        if self._looking is not None:
            self._looking.cancel()
        self._inotify = self._looking = None

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._inotify = _Inotify()
            loop.add_reader(self._inotify.descriptor, self._read)
        except OSError:
            self._looking = loop.create_task(self._look())

    def _read(self) -> None:
        assert self._inotify is not None
        for number in self._inotify.events():
            if number in self._numbers:
                self._report(self._numbers[number])

    def _report(self, key: str) -> None:
        if key not in self._due:
            self._due.add(key)
            asyncio.get_running_loop().call_later(TOGETHER_S, self._tell, key)

    def _tell(self, key: str) -> None:
        self._due.discard(key)
        if key in self._files:
            self._grown(key)

    async def _look(self) -> None:
        sizes: dict[str, int] = {}
        while True:
            await asyncio.sleep(_LOOK_S)
            for key, path in list(self._files.items()):
                size = path.stat().st_size if path.exists() else 0
                if sizes.get(key, 0) != size:
                    self._report(key)
                sizes[key] = size


class _Inotify:
    """Linux's inotify, as far as it is needed. OSError where there is none."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._library, "inotify_init1"):
            raise OSError(errno.ENOSYS, "this system has no inotify")
        self.descriptor: int = self._checked(self._library.inotify_init1(_NONBLOCK | _CLOEXEC))

    def add(self, path: Path) -> int:
        return self._checked(self._library.inotify_add_watch(self.descriptor, os.fsencode(path), _MODIFIED))

    def remove(self, number: int) -> None:
        # The kernel has dropped the watch itself where the file is gone.
        self._library.inotify_rm_watch(self.descriptor, number)

    def events(self) -> set[int]:
        """The watches that have news."""
        found: set[int] = set()
        place = 0
        try:
            data = os.read(self.descriptor, _BUFFER_BYTES)
        except BlockingIOError:
            return found
        while place < len(data):
            number, _, _, length = _EVENT.unpack_from(data, place)
            found.add(number)
            place += _EVENT.size + length
        return found

    def close(self) -> None:
        os.close(self.descriptor)

    @staticmethod
    def _checked(result: int) -> int:
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result
