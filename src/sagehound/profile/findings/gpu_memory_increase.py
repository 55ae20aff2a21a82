"""A GPU's memory that fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.gpus import impatient, memory, without
from sagehound.profile.profile import Profile
from sagehound.profile.series import Series


@dataclass(frozen=True)
class GPUMemoryIncrease:
    """The moving average of a GPU's memory in use, over `window` samples, is more than `increase` percentage points
    above that of the window before.

    Judged once more than `patience` samples are there; where two windows do not fit, over half of them each. Defaults:
    AWS's guide (10, 100, 500; its package has 5, 1000, 10). The package compares averages that are one sample apart,
    which a window of 500 cannot move by 10 points; here the windows stand side by side. `scan_interval_us` is taken and
    has no effect. The climb from nothing at the start is the model's loading: samples before the memory first reaches
    half of its median are left out. What is lost is the job, not time, so there is no gain in seconds.
    """

    increase: float = 10
    patience: int = 100
    window: int = 500
    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "GPUMemoryIncrease"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"increase": (0, 100), "window": (1, 10**9)}

    def judge(self, profile: Profile) -> Verdict:
        samples = memory(profile)
        points = max((len(each.values) for each in samples.values()), default=0)
        unable = without(profile, samples) or impatient(points, self.patience)
        findings, details = [], dict[str, Any]()
        for (node, gpu), course in samples.items():
            if unable or len(course.values) <= self.patience:
                continue
            rise, place = self._rise(_loaded(course.values))
            if rise > self.increase:
                details.setdefault(node, {})[gpu] = {"increase": rise, "gpu_max": float(course.values.max())} | {
                    f"p{share:02d}": float(np.quantile(course.values, share / 100)) for share in (5, 25, 50, 75, 95)
                }
                findings.append(self._finding(course, rise, place))
        return Verdict(
            rule=self.name,
            findings=tuple(findings),
            violations=len(findings),
            datapoints=points,
            parameters=asdict(self),
            details=details,
            unable=unable,
        )

    def _rise(self, values: np.ndarray) -> tuple[float, int]:
        """The largest rise from one window to the next, and how many samples from the end that is."""
        window = min(self.window, len(values) // 2)
        if not window:
            return 0.0, 0
        sums = np.cumsum(np.concatenate(([0.0], values)))
        averages = (sums[window:] - sums[:-window]) / window
        rises = averages[window:] - averages[:-window]
        best = int(rises.argmax())
        return float(rises[best]), len(values) - best - 1

    def _finding(self, course: Series, rise: float, place: int) -> Finding:
        return Finding(
            rule=self.name,
            message=f"The memory of {course.name} of {course.node} rose by {rise:.0f} percentage points from one "
            f"window to the next, up to {course.values.max():.0f} %; at 100 % the job ends for want of memory.",
            change="Keep numbers, not tensors with their graphs, from step to step.",
            code="losses.append(loss.item())",
            evidence={"increase_points": rise, "most_percent": float(course.values.max())},
            from_s=float(course.at_s[max(0, len(course.at_s) - 1 - place)]),
            to_s=float(course.at_s[-1]),
        )


def _loaded(values: np.ndarray) -> np.ndarray:
    """From when the model was there."""
    return values[int(np.argmax(values >= np.median(values) / 2)) :]
