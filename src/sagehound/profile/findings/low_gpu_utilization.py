"""A GPU that has little to do, or works by fits and starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.gpus import impatient, utilisation, without
from sagehound.profile.findings.job_span import fact
from sagehound.profile.profile import Profile
from sagehound.profile.series import Series


@dataclass(frozen=True)
class LowGPUUtilization:
    """The 95th percentile of a GPU's utilisation is below `threshold_p95` percent; or it is above, and the 5th is below
    `threshold_p5`: the GPU works by fits and starts.

    Judged over the last `window` samples, once more than `patience` are there. Defaults: AWS's guide ("List of Debugger
    built-in profiler rules"); its package has the same. `scan_interval_us` is taken and has no effect: the whole
    profile is judged each time. Gain: the time that the GPU stood idle, against work at `threshold_p95`.
    """

    threshold_p95: float = 70
    threshold_p5: float = 10
    window: int = 500
    patience: int = 1000
    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "LowGPUUtilization"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "threshold_p95": (0, 100),
        "threshold_p5": (0, 100),
        "window": (1, 10**9),
    }

    def judge(self, profile: Profile) -> Verdict:
        samples = utilisation(profile)
        points = max((len(each.values) for each in samples.values()), default=0)
        unable = without(profile, samples) or impatient(points, self.patience)
        findings, details = [], dict[str, Any]()
        for (node, gpu), course in samples.items():
            if unable or len(course.values) <= self.patience:
                continue
            p95, p5 = (float(np.quantile(course.values[-self.window :], share)) for share in (0.95, 0.05))
            details.setdefault(node, {})[gpu] = {"gpu_95": p95, "gpu_5": p5}
            if p95 < self.threshold_p95 or p5 < self.threshold_p5:
                findings.append(self._finding(profile, course, p95, p5))
        return Verdict(
            rule=self.name,
            findings=tuple(findings),
            violations=len(findings),
            datapoints=points,
            parameters=asdict(self),
            details=details,
            unable=unable,
        )

    def _finding(self, profile: Profile, course: Series, p95: float, p5: float) -> Finding:
        low = p95 < self.threshold_p95
        mean = float(course.values.mean())
        spent = float(course.at_s[-1] - course.at_s[0])
        target = max(self.threshold_p95, mean, 1.0)
        what = (
            f"was below {self.threshold_p95:g} % for 95 % of the time (95th percentile {p95:.0f} %)"
            if low
            else f"swung between {p5:.0f} % and {p95:.0f} % (5th and 95th percentile)"
        )
        size = fact(profile, "batch_size")
        larger = (
            f"DataLoader(dataset, batch_size={int(size * 2)}, num_workers={profile.job.threads or 4})" if size else ""
        )
        return Finding(
            rule=self.name,
            message=f"{course.name} of {course.node} {what}; its mean was {mean:.0f} %.",
            change="Give the GPU more at a time and let it wait less: a larger batch, and more loader workers.",
            code=larger
            or "DataLoader(dataset, batch_size=2 * batch_size, num_workers=os.cpu_count(), pin_memory=True)",
            evidence={"gpu_p95": p95, "gpu_p5": p5, "gpu_mean": mean, "threshold_p95": self.threshold_p95},
            from_s=float(course.at_s[0]),
            to_s=float(course.at_s[-1]),
            gain_s=spent * (1 - mean / target),
            estimate=f"at most: the sampled {spent:.0f} s at a utilisation of {target:.0f} % instead of {mean:.0f} %",
        )
