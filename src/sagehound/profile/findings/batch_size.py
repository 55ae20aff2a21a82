"""A GPU, its memory and the cores are all little used: the batch is too small, or the machine too large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.gpus import impatient, memory, utilisation, without
from sagehound.profile.findings.job_span import fact
from sagehound.profile.findings.samples import cores
from sagehound.profile.profile import Profile
from sagehound.profile.series import Series


@dataclass(frozen=True)
class BatchSize:
    """The 95th percentiles of the cores' mean utilisation, the GPU's utilisation and its memory are all below their
    thresholds (percent).

    Judged over the last `window` samples, once more than `patience` are there. Defaults: AWS's guide (its package waits
    for 1000 samples, the guide for 100; the guide's is taken). `scan_interval_us` is taken and has no effect. Gain: as
    LowGPUUtilization's.
    """

    cpu_threshold_p95: float = 70
    gpu_threshold_p95: float = 70
    gpu_memory_threshold_p95: float = 70
    patience: int = 100
    window: int = 500
    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "BatchSize"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "cpu_threshold_p95": (0, 100),
        "gpu_threshold_p95": (0, 100),
        "gpu_memory_threshold_p95": (0, 100),
        "window": (1, 10**9),
    }

    def judge(self, profile: Profile) -> Verdict:
        samples, memories, nodes = utilisation(profile), memory(profile), cores(profile)
        points = max((len(each.values) for each in samples.values()), default=0)
        unable = without(profile, samples) or impatient(points, self.patience)
        findings, details = [], dict[str, Any]()
        for (node, gpu), course in samples.items():
            if unable or len(course.values) <= self.patience or (node, gpu) not in memories or node not in nodes:
                continue
            seen = {
                "cpu_p95": self._p95(nodes[node].mean()),
                "gpu_p95": self._p95(course.values),
                "gpu_memory_p95": self._p95(memories[node, gpu].values),
            }
            if all(value < asdict(self)[name.replace("_p95", "_threshold_p95")] for name, value in seen.items()):
                details.setdefault(node, {})[gpu] = seen
                findings.append(self._finding(profile, course, seen))
        return Verdict(
            rule=self.name,
            findings=tuple(findings),
            violations=len(findings),
            datapoints=points,
            parameters=asdict(self),
            details=details,
            unable=unable,
        )

    def _p95(self, values: np.ndarray) -> float:
        return float(np.quantile(values[-self.window :], 0.95))

    def _finding(self, profile: Profile, course: Series, seen: Mapping[str, float]) -> Finding:
        size, mean = fact(profile, "batch_size"), float(course.values.mean())
        factor = max(2, int(min(8, self.gpu_memory_threshold_p95 // max(seen["gpu_memory_p95"], 1))))
        spent, target = float(course.at_s[-1] - course.at_s[0]), max(self.gpu_threshold_p95, mean, 1.0)
        larger = f"{int(size * factor)}" if size else f"{factor} * batch_size"
        return Finding(
            rule=self.name,
            message=f"{course.name} of {course.node} has room for a larger batch: 95 % of the time the cores were used "
            f"by less than {seen['cpu_p95']:.0f} %, the GPU by {seen['gpu_p95']:.0f} %, its memory by "
            f"{seen['gpu_memory_p95']:.0f} %.",
            change="Train with a larger batch (and look at the learning rate again), or on a smaller machine.",
            code=f"DataLoader(dataset, batch_size={larger})",
            evidence={**seen, "gpu_mean": mean},
            from_s=float(course.at_s[0]),
            to_s=float(course.at_s[-1]),
            gain_s=spent * (1 - mean / target),
            estimate=f"at most: the sampled {spent:.0f} s at a utilisation of {target:.0f} % instead of {mean:.0f} %",
        )
