"""Loader processes that are too few or too many for the cores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.job_span import fact
from sagehound.profile.findings.loader_bound import LoaderBound
from sagehound.profile.findings.samples import cores
from sagehound.profile.findings.steps import Steps, slowest
from sagehound.profile.profile import Profile


@dataclass(frozen=True)
class Dataloader:
    """The loader's processes are fewer than `min_threshold` percent of the cores, or more than `max_threshold`.

    Defaults: AWS's package (its guide lists the rule without them). `scan_interval_us` is taken and has no effect. Too
    few are counted as a violation, and are a finding where the steps do wait for their batches (the rule LoaderBound
    says so, and what more workers would win): processes that nobody waits for are no loss. Too many take memory and
    cores from the training; the loss is not to be read from a profile, so there is no gain in seconds.
    """

    min_threshold: float = 70
    max_threshold: float = 200
    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "Dataloader"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"min_threshold": (0, 10**4), "max_threshold": (0, 10**6)}

    def judge(self, profile: Profile) -> Verdict:
        workers, steps = fact(profile, "loader_workers"), slowest(profile)
        count = profile.job.cores or max((each.values.shape[1] for each in cores(profile).values()), default=0)
        if workers is None or not count or steps is None:
            missing = "no DataLoader was seen" if workers is None else "no steps were seen" if count else "no cores"
            return Verdict(rule=self.name, parameters=asdict(self), unable=missing)
        few, many = workers < count * self.min_threshold / 100, workers > count * self.max_threshold / 100
        findings = self._too_few(profile, count) if few else self._too_many(steps, workers, count) if many else ()
        return Verdict(
            rule=self.name,
            findings=findings,
            violations=int(few or many),
            datapoints=len(steps),
            parameters=asdict(self),
            details=_details(profile, steps, int(workers), count),
        )

    def _too_few(self, profile: Profile, count: int) -> tuple[Finding, ...]:
        found = []
        for waiting in LoaderBound().judge(profile).findings:
            if waiting.evidence["loader_workers"] < waiting.evidence["suggested_workers"]:  # type: ignore[operator]
                found.append(
                    Finding(
                        rule=self.name,
                        message=f"{waiting.evidence['loader_workers']:g} loader processes for {count} cores are fewer "
                        f"than {self.min_threshold:g} % of them, and the steps wait for their batches.",
                        change=waiting.change,
                        code=waiting.code,
                        evidence={**waiting.evidence, "cores": count},
                        from_s=waiting.from_s,
                        to_s=waiting.to_s,
                        gain_s=waiting.gain_s,
                        estimate=waiting.estimate,
                    )
                )
        return tuple(found)

    def _too_many(self, steps: Steps, workers: float, count: int) -> tuple[Finding, ...]:
        found = Finding(
            rule=self.name,
            message=f"{workers:g} loader processes for {count} cores are more than {self.max_threshold:g} % of them.",
            change="As many workers as cores are enough, unless they wait for the network; each takes memory.",
            code=f"DataLoader(dataset, num_workers={count})",
            evidence={"loader_workers": workers, "cores": count},
            from_s=steps.from_s,
            to_s=steps.to_s,
        )
        return (found,)


def _details(profile: Profile, steps: Steps, workers: int, count: int) -> dict[str, Any]:
    waits = steps.phases["loader"]
    probs, edges = np.histogram(waits, bins=100)
    details: dict[str, Any] = {"cores": count, "dataloaders": workers, "num_workers": workers}
    if "loader_pin_memory" in profile.job.facts:
        details["pin_memory"] = profile.job.facts["loader_pin_memory"]
    times = {f"p{share}": float(np.quantile(waits, share / 100)) for share in (25, 50, 95)}
    known = {name: value for name, value in times.items() if math.isfinite(value)}
    return {**details, "dataloading_time": {**known, "probs": probs.tolist(), "binedges": edges.tolist()}}
