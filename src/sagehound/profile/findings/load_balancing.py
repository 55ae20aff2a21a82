"""GPUs of one training that do not do the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.gpus import impatient, utilisation, without
from sagehound.profile.findings.job_span import length_s
from sagehound.profile.profile import Profile
from sagehound.profile.series import Series

_BINS = np.arange(0, 102, 2)


@dataclass(frozen=True)
class LoadBalancing:
    """The histograms (bins of 2 %) of two GPUs' utilisation are farther apart than `threshold`: the Jensen-Shannon
    distance with natural logarithms, 0 for the same and 0.83 for nothing in common.

    Judged once more than `patience` samples are there. Defaults: AWS's guide (its package waits for 1000 samples, the
    guide for 10; the guide's is taken). The rule fires where the means differ too, by more than 10 percentage points:
    histograms with few samples are far apart by chance. `scan_interval_us` is taken and has no effect. Gain: the work
    shared evenly, all GPUs would be busy as their mean is, and the busiest would end that much earlier.
    """

    threshold: float = 0.5
    patience: int = 10
    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "LoadBalancing"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"threshold": (0, 1)}

    def judge(self, profile: Profile) -> Verdict:
        samples = utilisation(profile)
        points = max((len(each.values) for each in samples.values()), default=0)
        unable = without(profile, samples) or impatient(points, self.patience)
        if not unable and len(samples) < 2:
            unable = "there is one GPU only: nothing to balance"
        pairs = [] if unable else list(combinations([s for s in samples.values() if len(s.values) > self.patience], 2))
        apart = [(one, other, _distance(one, other)) for one, other in pairs]
        apart = [each for each in apart if each[2] > self.threshold and _differ(each[0], each[1])]
        return Verdict(
            rule=self.name,
            findings=(self._finding(profile, samples, apart),) if apart else (),
            violations=len(apart),
            datapoints=points,
            parameters=asdict(self),
            details=_details(apart),
            unable=unable,
        )

    def _finding(
        self, profile: Profile, samples: Mapping[tuple[str, str], Series], apart: list[tuple[Series, Series, float]]
    ) -> Finding:
        means = {f"{gpu} of {node}": float(each.values.mean()) for (node, gpu), each in samples.items()}
        most, least = max(means, key=lambda name: means[name]), min(means, key=lambda name: means[name])
        even, farthest = float(np.mean(list(means.values()))), max(each[2] for each in apart)
        return Finding(
            rule=self.name,
            message=f"The GPUs do not share the work: {most} was used by {means[most]:.0f} % on average, {least} by "
            f"{means[least]:.0f} % (distance of their histograms {farthest:.2f}).",
            change="Give each GPU a process and an equal share of the data, instead of one that hands the work out.",
            code="model = torch.nn.parallel.DistributedDataParallel(model); sampler = DistributedSampler(dataset)",
            evidence={"distance": farthest, **means},
            from_s=min(float(each.at_s[0]) for each in samples.values()),
            to_s=max(float(each.at_s[-1]) for each in samples.values()),
            gain_s=length_s(profile) * (1 - even / max(means[most], 1e-9)),
            estimate=f"at most: the job's time, with every GPU at the mean of {even:.0f} % instead of one at "
            f"{means[most]:.0f} %",
        )


def _differ(one: Series, other: Series) -> bool:
    return abs(float(one.values.mean() - other.values.mean())) > 10


def _histogram(course: Series) -> np.ndarray:
    counts = np.histogram(np.clip(course.values, 0, 100), bins=_BINS)[0]
    return np.asarray(counts / counts.sum())


def _distance(one: Series, other: Series) -> float:
    """Lin (1991), Divergence measures based on the Shannon entropy; its square root is a metric."""
    shares = _histogram(one), _histogram(other)
    middle = (shares[0] + shares[1]) / 2
    halves = [float(np.sum(p[p > 0] * np.log(p[p > 0] / middle[p > 0]))) for p in shares]
    return math.sqrt(max(0.0, sum(halves) / 2))


def _details(apart: list[tuple[Series, Series, float]]) -> dict[str, Any]:
    details: dict[str, Any] = {}
    for one, other, distance in apart:
        node = details.setdefault(one.node, {"workloads": {}, "distances": {}})
        for each in (one, other):
            node["workloads"][each.name] = np.histogram(each.values, bins=_BINS)[0].tolist()
        node["distances"].setdefault(one.name, {})[other.name] = distance
    return details
