"""A gzip file written by several threads, which does not try to compress what does not compress."""

from __future__ import annotations

import struct
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO

from sagehound.jobs.cores import usable_cores

BLOCK_BYTES = 1024 * 1024
_SAMPLE_BYTES = 32 * 1024
#: Worth compressing only where a sample shrinks to less than this: model weights do not.
_WORTH = 0.85


class GzipWriter:
    """Writes one ordinary gzip member to `file`: blocks deflated side by side (zlib lets go of the interpreter)."""

    def __init__(self, file: IO[bytes], level: int = 1, threads: int | None = None) -> None:
        self._file = file
        self._level = level
        self._threads = threads or min(8, usable_cores())
        self._pool = ThreadPoolExecutor(self._threads)
        self._pending: deque[Future[bytes]] = deque()
        self._block = bytearray()
        self._crc = 0
        self._size = 0
        file.write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")

    def write(self, data: bytes) -> int:
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        self._block += data
        while len(self._block) >= BLOCK_BYTES:
            self._submit(bytes(self._block[:BLOCK_BYTES]))
            del self._block[:BLOCK_BYTES]
        return len(data)

    def close(self) -> None:
        """Write what is left and the trailer; `file` stays open."""
        try:
            self._submit(bytes(self._block))
            while self._pending:
                self._file.write(self._pending.popleft().result())
            self._file.write(b"\x03\x00" + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))
        finally:
            self._pool.shutdown()

    def _submit(self, block: bytes) -> None:
        self._pending.append(self._pool.submit(_deflate, block, self._level))
        while len(self._pending) > 2 * self._threads:
            self._file.write(self._pending.popleft().result())


def _deflate(block: bytes, level: int) -> bytes:
    """A block as deflated data that ends on a byte, so that blocks can follow each other."""
    middle = len(block) // 2
    sample = block[middle : middle + _SAMPLE_BYTES]
    if sample and len(zlib.compress(sample, 1)) > _WORTH * len(sample):
        level = 0
    squeezer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return squeezer.compress(block) + squeezer.flush(zlib.Z_SYNC_FLUSH)
