"""Cores that have nothing to do while the training computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.job_span import fact, said
from sagehound.profile.findings.samples import Grid, cores, too_short
from sagehound.profile.findings.steps import Steps, at_once, every_process, slowest
from sagehound.profile.profile import Profile

#: The part of a step that more threads make shorter (Amdahl's law).
_PARALLEL = 0.7
#: A training that waits for its loader leaves cores idle for another reason (LoaderBound says so).
_LOADER_SHARE = 0.2


@dataclass(frozen=True)
class IdleCores:
    """While the training computes on the CPU, less than `threshold` percent of the cores work, and at least
    `min_idle_cores` of them do nothing.

    Samples between the first training step and the last are counted, from `min_samples` and `min_span_s` seconds on, so
    that a short job's start is not taken for its course. 60 %: hyperthreads that share a core show half of the machine
    idle at full use, so half is not yet a sign by itself; here a training with fewer threads than it may use has to
    come with it, or processes that were given too few. A training on a GPU, or one that waits for its loader by more
    than 20 %, is left to other rules.

    Estimate: Amdahl's law with 70 % of the step's computing in parallel, from the threads that it has to those that
    it may use (its share of them, where several processes train on the node).
    """

    threshold: float = 60
    min_idle_cores: float = 0.75
    min_samples: int = 20
    min_span_s: float = 3.0

    name: ClassVar[str] = "IdleCores"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"threshold": (0, 100)}

    def judge(self, profile: Profile) -> Verdict:
        steps = slowest(profile)
        table = cores(profile).get(steps.node) if steps else None
        seen = table.between(steps.from_s, steps.to_s) if table and steps else None
        unable = self._unable(profile, steps, seen)
        if unable or seen is None or steps is None:
            return Verdict(rule=self.name, parameters=asdict(self), unable=unable)
        count = seen.values.shape[1]
        busy = float(seen.mean().mean()) / 100 * count
        threads = fact(profile, "torch_threads")
        allowed = min(profile.job.threads or count, count) // at_once(every_process(profile, "TRAIN"))
        idle = 100 * busy / count < self.threshold and count - busy >= self.min_idle_cores
        waits = float(steps.phases["loader"].sum()) > _LOADER_SHARE * steps.total_s
        fires = idle and not waits and threads is not None and threads < allowed
        return Verdict(
            rule=self.name,
            findings=(self._finding(steps, busy, count, threads or 1.0, allowed),) if fires else (),
            violations=int(fires),
            datapoints=len(seen.at_s),
            parameters=asdict(self),
            details={"busy_cores": busy, "cores": count, "torch_threads": threads, "waits_for_loader": waits},
        )

    def _unable(self, profile: Profile, steps: Steps | None, seen: Grid | None) -> str:
        if said(profile, "device").startswith("cuda"):
            return "the training computes on a GPU"
        if steps is None or seen is None:
            return "no training steps were seen" if steps is None else "the cores were not sampled"
        if seen.values.shape[1] < 2:
            return "the machine has one core"
        if len(seen.at_s) < self.min_samples or np.ptp(seen.at_s) < self.min_span_s:
            return too_short(seen.at_s, self.min_samples, self.min_span_s)
        return ""

    def _finding(self, steps: Steps, busy: float, count: int, threads: float, allowed: int) -> Finding:
        compute_s = steps.total_s - float(steps.phases["loader"].sum())
        # Amdahl, from the present number of threads: the parallel part shrinks by threads / allowed.
        left = (1 - _PARALLEL) + _PARALLEL * threads / allowed
        return Finding(
            rule=self.name,
            message=f"{count - busy:.1f} of {count} cores stand idle while the training computes: torch uses "
            f"{threads:g} thread{'' if threads == 1 else 's'} where it may use {allowed}.",
            change="Let torch use all cores that the job has.",
            code=f"torch.set_num_threads({allowed})",
            evidence={"busy_cores": busy, "cores": count, "torch_threads": threads, "allowed_threads": allowed},
            from_s=steps.from_s,
            to_s=steps.to_s,
            gain_s=compute_s * (1 - left),
            estimate=f"{compute_s:.1f} s of computing, {_PARALLEL:.0%} of it {allowed / threads:g} times as fast "
            "(Amdahl's law)",
        )
