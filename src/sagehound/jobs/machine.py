"""What the machine does, from /proc: cores, memory, disks, network."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sagehound.jobs.samples import Sample

_SECTOR_BYTES = 512
#: Block devices that stand for others, or for memory.
_NOT_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")
_BUSY_UNTIL = 3
_IOWAIT = 4
_FIELDS = 8


class Machine:
    """Reads the machine again and again; each `samples` tells what it did since the one before.

    The files stay open: a reading is one system call each. A file that a system does not have costs its samples.
    """

    def __init__(self, proc: str = "/proc", clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._files = {name: _open(f"{proc}/{name}") for name in ("stat", "meminfo", "net/dev", "diskstats")}
        self._disks = _disks()
        self._at = clock()
        self._cores = self._read_cores()
        self._network = self._read_network()
        self._disk = self._read_disks()
        self.memory_bytes = 0

    def samples(self) -> Iterator[Sample]:
        """Percent of the time for each core and for I/O wait, percent of the memory, bytes a second for the rest."""
        now = self._clock()
        elapsed_s, self._at = max(now - self._at, 1e-6), now
        yield from self._used_cores()
        yield from self._used_memory()
        before, self._disk = self._disk, self._read_disks()
        if before and self._disk:
            for name, old, new in zip(("DiskRead", "DiskWrite"), before, self._disk, strict=True):
                yield "disk", "machine", f"{name}BytesPerSecond", max(0, new - old) / elapsed_s
        before, self._network = self._network, self._read_network()
        if before and self._network:
            for name, old, new in zip(("NetworkReceived", "NetworkTransmit"), before, self._network, strict=True):
                yield "network", "machine", f"{name}BytesPerSecond", max(0, new - old) / elapsed_s

    def _used_cores(self) -> Iterator[Sample]:
        before, self._cores = self._cores, self._read_cores()
        for name, new in self._cores.items():
            old = before.get(name)
            if old is None:
                continue
            spent = [max(0, b - a) for a, b in zip(old, new, strict=True)]
            whole = sum(spent) or 1
            if name == "cpu":
                yield "cpu", "machine", "I/OWaitPercentage", 100 * spent[_IOWAIT] / whole
            else:
                idle = spent[_BUSY_UNTIL] + spent[_IOWAIT]
                yield "cpu", name, "CPUUtilization", 100 * (whole - idle) / whole

    def _used_memory(self) -> Iterator[Sample]:
        found = {}
        for line in _read(self._files["meminfo"]).split(b"\n", 4)[:4]:
            words = line.split()
            if len(words) > 1:
                found[words[0]] = int(words[1]) * 1024
        total, free = found.get(b"MemTotal:", 0), found.get(b"MemAvailable:", 0)
        if total:
            self.memory_bytes = total
            yield "memory", "machine", "MemoryUsedPercent", 100 * (total - free) / total

    def _read_cores(self) -> dict[str, list[int]]:
        """Ticks by what they were spent on, of all cores ("cpu") and of each ("cpu0" ...)."""
        found = {}
        for line in _read(self._files["stat"]).split(b"\n"):
            if not line.startswith(b"cpu"):
                break
            words = line.split()
            found[words[0].decode()] = [int(word) for word in words[1 : 1 + _FIELDS]]
        return found

    def _read_network(self) -> tuple[int, int] | None:
        """Bytes received and sent, but for those that never left the machine."""
        text = _read(self._files["net/dev"])
        if not text:
            return None
        received = sent = 0
        for line in text.split(b"\n")[2:]:
            name, colon, rest = line.partition(b":")
            if colon and name.strip() != b"lo":
                words = rest.split()
                received, sent = received + int(words[0]), sent + int(words[8])
        return received, sent

    def _read_disks(self) -> tuple[int, int] | None:
        """Bytes read and written, of whole disks alone: a partition's are its disk's too."""
        text = _read(self._files["diskstats"])
        if not text:
            return None
        read = written = 0
        for line in text.split(b"\n"):
            words = line.split()
            if len(words) > 9 and words[2] in self._disks:
                read, written = read + int(words[5]), written + int(words[9])
        return read * _SECTOR_BYTES, written * _SECTOR_BYTES


def _disks() -> frozenset[bytes]:
    try:
        names = os.listdir("/sys/block")  # noqa: PTH208
    except OSError:
        return frozenset()
    return frozenset(name.encode() for name in names if not name.startswith(_NOT_DISKS))


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _read(file: int) -> bytes:
    """All of an open file of /proc, from its begin; nothing where there is none."""
    if file < 0:
        return b""
    size = 16384
    while len(data := os.pread(file, size, 0)) == size:
        size *= 4
    return data
