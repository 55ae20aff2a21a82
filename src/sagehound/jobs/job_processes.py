"""What the processes of one host do, its script's children and theirs included."""

# ruff: noqa: PTH208

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sagehound.jobs.samples import Sample

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
#: Looking for new processes takes at most this part of the time.
_LOOKING_SHARE = 0.001


class JobProcesses:
    """The processes below `root`, read again and again; each `samples` tells what they did since the one before.

    `CPUUtilization` is in percent of all the machine's cores. Memory counts what each process has of its own, and what
    they share (libraries, shared tensors) once; pages that a forked process has not changed yet count for it too. Disk
    rates need /proc/<pid>/io, which the kernel shows of one's own processes.
    """

    def __init__(self, root: int, cores: int, memory_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._cores = max(1, cores)
        self._memory_bytes = memory_bytes
        self._clock = clock
        self._pids: list[int] = []
        self._look_at = 0.0
        self._ticks: dict[int, int] = {}
        self._io: dict[int, tuple[int, int]] = {}
        self._at = clock()
        self._look(self._at)
        for pid in self._pids:
            self._ticks[pid] = _ticks(pid) or 0
            self._io[pid] = _io(pid)

    def samples(self) -> Iterator[Sample]:
        """What the job did since the last time; nothing where it has no process any more."""
        now = self._clock()
        elapsed_s, self._at = max(now - self._at, 1e-6), now
        if now >= self._look_at:
            self._look(now)
        ticks, own, shared, read, written = 0, 0, 0, 0, 0
        living = False
        for pid in list(self._pids):
            spent = _ticks(pid)
            if spent is None:
                self._forget(pid)
                continue
            living = True
            ticks += max(0, spent - self._ticks.get(pid, 0))
            self._ticks[pid] = spent
            resident, common = _pages(pid)
            own, shared = own + resident - common, max(shared, common)
            before, self._io[pid] = self._io.get(pid, (0, 0)), _io(pid)
            read += max(0, self._io[pid][0] - before[0])
            written += max(0, self._io[pid][1] - before[1])
        if not living:
            return
        yield "cpu", "job", "CPUUtilization", 100 * ticks / _TICKS_PER_S / elapsed_s / self._cores
        if self._memory_bytes:
            yield "memory", "job", "MemoryUsedPercent", 100 * (own + shared) * _PAGE_BYTES / self._memory_bytes
        yield "disk", "job", "DiskReadBytesPerSecond", read / elapsed_s
        yield "disk", "job", "DiskWriteBytesPerSecond", written / elapsed_s

    def _look(self, now: float) -> None:
        """Find the processes. The next look is due when this one's cost has spread out."""
        self._pids = _below(self._root)
        self._look_at = now + (self._clock() - now) / _LOOKING_SHARE

    def _forget(self, pid: int) -> None:
        self._pids.remove(pid)
        self._ticks.pop(pid, None)
        self._io.pop(pid, None)


def _below(root: int) -> list[int]:
    """Every process that `root` started, or that one of them did."""
    found: list[int] = []
    queue = [root]
    while queue:
        pid = queue.pop()
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for thread in threads:
            children = [int(word) for word in _read(f"/proc/{pid}/task/{thread}/children").split()]
            found += children
            queue += children
    return found


def _ticks(pid: int) -> int | None:
    """The processor time that a process has used, in ticks; None where it is gone."""
    words = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(words[11]) + int(words[12]) if len(words) > 12 else None


def _pages(pid: int) -> tuple[int, int]:
    """Pages in memory, and those of them that are of a file or shared."""
    words = _read(f"/proc/{pid}/statm").split()
    return (int(words[1]), int(words[2])) if len(words) > 2 else (0, 0)


def _io(pid: int) -> tuple[int, int]:
    """Bytes that it had read from and written to disks."""
    lines = dict(line.split(b": ") for line in _read(f"/proc/{pid}/io").splitlines())
    return int(lines.get(b"read_bytes", 0)), int(lines.get(b"write_bytes", 0))


def _read(path: str) -> bytes:
    """A small file of /proc; nothing where its process is gone."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(file, 16384)
    except OSError:
        return b""
    finally:
        os.close(file)
