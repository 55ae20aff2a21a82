"""What each node's parts were used by; never fires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from sagehound.profile.finding import Verdict
from sagehound.profile.findings.samples import grid, series
from sagehound.profile.profile import Profile
from sagehound.profile.series import Series

#: The documented names of the parts -> the dimension, and the name that stands for the whole where there is one.
_PARTS = {
    "CPU": ("CPUUtilization", "cpu"),
    "CPU memory": ("MemoryUsedPercent", "machine"),
    "GPU": ("GPUUtilization", "gpu"),
    "GPU memory": ("GPUMemoryUtilization", "gpu"),
    "I/O": ("I/OWaitPercentage", ""),
    "Network": ("NetworkReceivedBytesPerSecond", ""),
}


@dataclass(frozen=True)
class OverallSystemUsage:
    """The maximum, the percentiles 99, 95 and 50 and the minimum of each node's use: CPU, GPU, their memories and I/O
    wait as means over a node's parts in percent, the network in bytes received a second.

    Never fires, as documented. `scan_interval_us` is taken and has no effect.
    """

    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "OverallSystemUsage"

    def judge(self, profile: Profile) -> Verdict:
        details: dict[str, Any] = {}
        points = 0
        for part, (dimension, prefix) in _PARTS.items():
            by_node: dict[str, list[Series]] = {}
            for (node, name), course in series(profile, dimension).items():
                if name.startswith(prefix):
                    by_node.setdefault(node, []).append(course)
            points = max([points, *(len(each[0].values) for each in by_node.values())])
            if by_node:
                details[part] = {node: _summary(parts) for node, parts in by_node.items()}
        unable = "" if details else "the machine was not sampled"
        return Verdict(rule=self.name, datapoints=points, parameters=asdict(self), details=details, unable=unable)


def _summary(parts: Sequence[Series]) -> dict[str, float]:
    values = grid(parts).mean()
    shares = {"max": 1.0, "p99": 0.99, "p95": 0.95, "p50": 0.5, "min": 0.0}
    return {name: round(float(np.quantile(values, share)), 2) for name, share in shares.items()}
