"""The samples of one host on the disk: JSON lines, in a file a minute, as SageMaker lays them out."""

# pathlib takes longer to import than most of what is done here.
# ruff: noqa: PTH103

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    #: A kind ("cpu", "memory", "io", "disk", "network", "gpu"), a part's name, a dimension and its value.
    Sample = tuple[str, str, str, float]

FOLDER = "system/incremental"


class SampleFile:
    """Appends to `<folder>/system/incremental/<YYYYMMDDHHMM>/<second of the minute's start>.<node>.json` (UTC).

    All samples of one moment are written at once, so no reader finds half a line.
    """

    def __init__(self, folder: str, node: str) -> None:
        self._folder = folder
        self._node = node
        self._minute = -1
        self._file = -1

    def write(self, samples: Iterable[Sample], at_s: float) -> None:
        """Append the samples of the moment `at_s`, in seconds since the epoch; OSError where the disk is full."""
        minute = int(at_s // 60)
        if minute != self._minute:
            self._open(minute)
        end = f'"NodeId":"{self._node}","Timestamp":{at_s:.6f}}}\n'
        lines = [
            f'{{"Type":"{kind}","Name":"{name}","Dimension":"{dimension}","Value":{value:.6g},{end}'
            for kind, name, dimension, value in samples
        ]
        data = "".join(lines).encode()
        size = os.fstat(self._file).st_size
        if os.write(self._file, data) != len(data):
            os.ftruncate(self._file, size)
            raise OSError("no space left on the disk")

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = self._minute = -1

    def _open(self, minute: int) -> None:
        self.close()
        folder = f"{self._folder}/{FOLDER}/{time.strftime('%Y%m%d%H%M', time.gmtime(minute * 60))}"
        os.makedirs(folder, exist_ok=True)
        path = f"{folder}/{minute * 60}.{self._node}.json"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._minute = minute
