"""The GPU waits for the disk or the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from sagehound.profile.finding import Verdict
from sagehound.profile.findings.bottleneck import Cause, by_node, verdict, workers
from sagehound.profile.findings.samples import series
from sagehound.profile.profile import Profile


@dataclass(frozen=True)
class IOBottleneck:
    """In more than `threshold` percent of the snapshots the cores wait for input and output by more than `io_threshold`
    percent of their time while a GPU is used by less than `gpu_threshold`.

    Judged once more than `patience` snapshots are there. Defaults: AWS's guide (its package has a `gpu_threshold` of
    10, the guide of 70; the guide's is taken). `scan_interval_us` is taken and has no effect.
    The gain is reckoned as `verdict` says.
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
        return verdict(self, asdict(self), profile, self._cause(profile))

    def _cause(self, profile: Profile) -> Cause:
        return Cause(
            courses=by_node(series(profile, "I/OWaitPercentage")),
            above=self.io_threshold,
            listed="I/O",
            seen="the cores waited for input and output for more than "
            f"{self.io_threshold:g} % of their time: the data come too slowly",
            change="Read ahead in more processes, and read larger files or smaller ones (shards, resized photos).",
            code=f"DataLoader(dataset, num_workers={2 * workers(profile)}, prefetch_factor=4, persistent_workers=True)",
            beside="the reading beside the GPU's work",
        )
