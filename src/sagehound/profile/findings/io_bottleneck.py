"""The GPU waits for the disk or the network."""

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
class IOBottleneck:
    """In more than `threshold` percent of the snapshots the cores wait for input and output by more than `io_threshold`
    percent of their time while a GPU is used by less than `gpu_threshold`.

    Judged once more than `patience` snapshots are there. Defaults: AWS's guide (its package has a `gpu_threshold` of
    10, the guide of 70; the guide's is taken). `scan_interval_us` is taken and has no effect. Gain: as CPUBottleneck's.
    """

    threshold: float = 50
    gpu_threshold: float = 70
    io_threshold: float = 50
    patience: int = 1000
    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "IOBottleneck"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "threshold": (0, 100),
        "gpu_threshold": (0, 100),
        "io_threshold": (0, 100),
    }

    def judge(self, profile: Profile) -> Verdict:
        gpus = utilisation(profile)
        waits = by_node(series(profile, "I/OWaitPercentage"))
        seen = waiting(gpus, waits, self.gpu_threshold, self.io_threshold)
        unable = without(profile, gpus) or impatient(seen.points, self.patience)
        fires = not unable and seen.share > self.threshold
        return Verdict(
            rule=self.name,
            findings=(self._finding(profile, seen),) if fires else (),
            violations=len(seen.at_s),
            datapoints=seen.points,
            parameters=asdict(self),
            details=seen.details("I/O"),
            unable=unable,
        )

    def _finding(self, profile: Profile, seen: Waiting) -> Finding:
        return Finding(
            rule=self.name,
            message=f"In {seen.share:.0f} % of {seen.points} snapshots a GPU was used by less than "
            f"{self.gpu_threshold:g} % while the cores waited for input and output for more than "
            f"{self.io_threshold:g} % of their time: the data come too slowly.",
            change="Read ahead in more processes, and read larger files or smaller ones (shards, resized photos).",
            code=f"DataLoader(dataset, num_workers={2 * workers(profile)}, prefetch_factor=4, persistent_workers=True)",
            evidence={"bottlenecks": len(seen.at_s), "snapshots": seen.points, "share_percent": seen.share},
            from_s=float(seen.at_s[0]),
            to_s=float(seen.at_s[-1]),
            gain_s=length_s(profile) * seen.share / 100,
            estimate="at most: the share of these snapshots of the job's time, were the reading beside the GPU's work",
        )
