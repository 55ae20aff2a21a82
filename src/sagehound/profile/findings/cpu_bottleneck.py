"""The GPU waits for the cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from sagehound.profile.finding import Verdict
from sagehound.profile.findings.bottleneck import Cause, by_node, verdict, workers
from sagehound.profile.findings.samples import series
from sagehound.profile.profile import Profile


@dataclass(frozen=True)
class CPUBottleneck:
    """In more than `threshold` percent of the snapshots a core is used by more than `cpu_threshold` percent while a
    GPU is used by less than `gpu_threshold`.

    Judged once more than `patience` snapshots are there. Defaults: AWS's guide (its package waits for 1000 snapshots,
    the guide for 100; the guide's is taken). `scan_interval_us` is taken and has no effect.
    The gain is reckoned as `verdict` says.
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
        return verdict(self, asdict(self), profile, self._cause(profile))

    def _cause(self, profile: Profile) -> Cause:
        cores = {key: each for key, each in series(profile, "CPUUtilization").items() if key[1].startswith("cpu")}
        return Cause(
            courses=by_node(cores),
            above=self.cpu_threshold,
            listed="CPUs",
            seen=f"a core was at more than {self.cpu_threshold:g} %: it waits for the cores",
            change="Prepare batches in more processes beside the GPU, or move the transforms to the GPU.",
            code=f"DataLoader(dataset, num_workers={workers(profile)}, pin_memory=True, persistent_workers=True)",
            beside="the cores' work beside the GPU's",
        )
