"""The GPU waits for the cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.bottleneck import Waiting, by_node, waiting, workers
from sagehound.profile.findings.gpus import impatient, utilisation, without
from sagehound.profile.findings.job_span import length_s
from sagehound.profile.findings.samples import series
from sagehound.profile.profile import Profile


@dataclass(frozen=True)
class CPUBottleneck:
    """In more than `threshold` percent of the snapshots a core is used by more than `cpu_threshold` percent while a
    GPU is used by less than `gpu_threshold`.

    Judged once more than `patience` snapshots are there. Defaults: AWS's guide (its package waits for 1000 snapshots,
    the guide for 100; the guide's is taken). `scan_interval_us` is taken and has no effect. Gain: were the cores' work
    done beside the GPU's, those snapshots would be saved; so it is at most their share of the job.
    """

    threshold: float = 50
    gpu_threshold: float = 10
    cpu_threshold: float = 90
    patience: int = 100
    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "CPUBottleneck"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "threshold": (0, 100),
        "gpu_threshold": (0, 100),
        "cpu_threshold": (0, 100),
    }

    def judge(self, profile: Profile) -> Verdict:
        gpus = utilisation(profile)
        parts = {key: each for key, each in series(profile, "CPUUtilization").items() if key[1].startswith("cpu")}
        seen = waiting(gpus, by_node(parts), self.gpu_threshold, self.cpu_threshold)
        unable = without(profile, gpus) or impatient(seen.points, self.patience)
        fires = not unable and seen.share > self.threshold
        return Verdict(
            rule=self.name,
            findings=(self._finding(profile, seen),) if fires else (),
            violations=len(seen.at_s),
            datapoints=seen.points,
            parameters=asdict(self),
            details=seen.details("CPUs"),
            unable=unable,
        )

    def _finding(self, profile: Profile, seen: Waiting) -> Finding:
        return Finding(
            rule=self.name,
            message=f"In {seen.share:.0f} % of {seen.points} snapshots a GPU was used by less than "
            f"{self.gpu_threshold:g} % while a core was at more than {self.cpu_threshold:g} %: it waits for the cores.",
            change="Prepare batches in more processes beside the GPU, or move the transforms to the GPU.",
            code=f"DataLoader(dataset, num_workers={workers(profile)}, pin_memory=True, persistent_workers=True)",
            evidence={"bottlenecks": len(seen.at_s), "snapshots": seen.points, "share_percent": seen.share},
            from_s=float(seen.at_s[0]),
            to_s=float(seen.at_s[-1]),
            gain_s=length_s(profile) * seen.share / 100,
            estimate="at most: the share of these snapshots of the job's time, were the cores' work beside the GPU's",
        )
