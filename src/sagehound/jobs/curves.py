"""Metrics as curves: every value of one metric, read while the job prints them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sagehound.jobs.metrics import METRICS_FILE, datapoints_from


@dataclass(slots=True)
class Curve:
    """The values of the metric `name` in a job's `folder`; what was read once is not read again."""

    folder: Path
    name: str
    values: list[float] = field(default_factory=list)
    offset_bytes: int = 0

    def read(self) -> tuple[float, ...]:
        """All values so far, in the order in which they were printed."""
        if _size_bytes(self.folder) < self.offset_bytes:  # The job was begun again.
            self.values, self.offset_bytes = [], 0
        for points, offset_bytes in datapoints_from(self.folder, self.offset_bytes):
            self.values += [point.value for point in points if point.name == self.name]
            self.offset_bytes = offset_bytes
        return tuple(self.values)


def _size_bytes(folder: Path) -> int:
    try:
        return (folder / METRICS_FILE).stat().st_size
    except FileNotFoundError:
        return 0
