"""Steps that wait for their batches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.job_span import fact
from sagehound.profile.findings.samples import cores, grid, series
from sagehound.profile.findings.steps import Steps, slowest
from sagehound.profile.profile import Profile

#: A step that would take more than this share of its time is not worth the workers.
_WORTH = 0.9


@dataclass(frozen=True)
class LoaderBound:
    """The training's steps spend more than `threshold` percent of their time waiting for the loader.

    Judged from `min_steps` steps on, without the first of each process (its wait is the workers' start), and where the
    waiting is at least `min_wait_s` seconds in all: below that, starting workers costs as much as they save. 20 % since
    a loader that keeps up costs 1 to 5 % (handing over a batch). Source: PyTorch's performance tuning guide, "Enable
    asynchronous data loading and augmentation".

    Estimate. A batch takes a worker W seconds: the whole step's time for each worker that there is, or the wait where
    there is none. With n workers a step takes the longest of: the rest of the step; W / n; the job's work in a
    step (the cores that it kept busy times the step's length) shared by all cores. n is the smallest that gets within
    5 % of the best, up to as many as cores, or twice as many where there are as many already. Where no
    number of workers helps, because the cores are busy already, the samples themselves have to become cheaper, and the
    gain is at most the waiting.
    """

    threshold: float = 20
    min_steps: int = 20
    min_wait_s: float = 1.0

    name: ClassVar[str] = "LoaderBound"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"threshold": (0, 100), "min_steps": (2, 10**9)}

    def judge(self, profile: Profile) -> Verdict:
        steps = slowest(profile)
        if steps is None or len(steps) <= self.min_steps:
            seen = 0 if steps is None else len(steps)
            reason = f"{seen} training steps are too few: more than {self.min_steps} are needed"
            return Verdict(rule=self.name, datapoints=seen, parameters=asdict(self), unable=reason)
        later = steps.after(1)
        waited_s = float(later.phases["loader"].sum())
        share = 100 * waited_s / later.total_s if later.total_s else 0.0
        fires = share > self.threshold and waited_s >= self.min_wait_s
        return Verdict(
            rule=self.name,
            findings=(self._finding(profile, later, waited_s, share),) if fires else (),
            violations=int(fires),
            datapoints=len(steps),
            parameters=asdict(self),
            details={"loader_share_percent": share, "waited_s": waited_s, "steps": len(steps)},
        )

    def _finding(self, profile: Profile, steps: Steps, waited_s: float, share: float) -> Finding:
        known = fact(profile, "loader_workers")
        workers = max(0, int(known or 0))
        step_s, wait_s = steps.total_s / len(steps), waited_s / len(steps)
        busy, count = _busy_cores(profile, steps)
        batch_s = step_s * workers if workers else wait_s
        floor_s = max(step_s - wait_s, busy * step_s / count if busy is not None else 0.0)
        best, new_s = _best_workers(batch_s, floor_s, workers, count)
        helps = new_s < _WORTH * step_s
        evidence = {
            "loader_share_percent": share,
            "waited_s": waited_s,
            "steps": len(steps),
            "loader_workers": workers,
            "suggested_workers": best if helps else workers,
            **({"busy_cores": busy} if busy is not None else {}),
            **_io_wait(profile, steps),
        }
        loader = "no DataLoader" if known is None else f"{workers} worker{'' if workers == 1 else 's'}"
        message = (
            f"The steps wait {share:.0f} % of their time for the loader ({waited_s:.1f} s in {len(steps)} steps, with "
            f"{loader})."
        )
        found = Finding(
            rule=self.name, message=message, change="", evidence=evidence, from_s=steps.from_s, to_s=steps.to_s
        )
        if not helps:
            return replace(
                found,
                message=f"{message} The cores are busy already, so more workers would not help.",
                change="Make a sample cheaper: decode and resize once, keep the result, and read that.",
                code="dataset = [transform(sample) for sample in dataset]  # once; random transforms stay in the loop",
                gain_s=waited_s,
                estimate="at most: all of the waiting",
            )
        return replace(
            found,
            change="Prepare batches beside the training, in workers that stay.",
            code=f"DataLoader(dataset, num_workers={best}, persistent_workers=True, prefetch_factor=4)",
            gain_s=(step_s - new_s) * len(steps),
            estimate=f"{len(steps)} steps of {new_s:.3g} s instead of {step_s:.3g} s: the longest of the rest of the "
            f"step ({step_s - wait_s:.3g} s), a batch's {batch_s:.3g} s of work among {best} "
            f"worker{'s' * (best != 1)}, and what the cores do in a step",
        )


def _best_workers(batch_s: float, floor_s: float, workers: int, count: int) -> tuple[int, float]:
    """The number of workers to suggest, and what a step then takes."""
    most = max(2, count) if workers < count else 2 * count
    times = {each: max(floor_s, batch_s / each) for each in range(max(1, workers), max(workers, most) + 1)}
    least = min(times.values())
    best = min(each for each, time in times.items() if time <= 1.05 * least)
    return best, times[best]


def _busy_cores(profile: Profile, steps: Steps) -> tuple[float | None, int]:
    """How many of the node's cores the job kept busy while it trained (all that worked, where the job's own share was
    not sampled; None where nothing was), and how many the node has."""
    table = cores(profile).get(steps.node)
    count = profile.job.cores or (table.values.shape[1] if table else 1)
    own = series(profile, "CPUUtilization").get((steps.node, "job"))
    course = grid([own]) if own else table
    seen = course.between(steps.from_s, steps.to_s).mean() if course else np.zeros(0)
    if not len(seen):
        return None, count
    return float(np.clip(seen.mean() / 100, 0, 1)) * count, count


def _io_wait(profile: Profile, steps: Steps) -> dict[str, float]:
    waits = [
        course.values[(course.at_s >= steps.from_s) & (course.at_s <= steps.to_s)]
        for (node, _), course in series(profile, "I/OWaitPercentage").items()
        if node == steps.node
    ]
    seen = np.concatenate(waits) if waits else np.zeros(0)
    return {"io_wait_percent": float(seen.mean())} if len(seen) and math.isfinite(float(seen.mean())) else {}
