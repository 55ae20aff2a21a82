"""A first step that takes as long as many others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.job_span import length_s, said
from sagehound.profile.findings.steps import Steps, slowest
from sagehound.profile.profile import Profile

#: A compiling training may compile again within its first steps (another shape, the optimizer).
_FIRST = 5


@dataclass(frozen=True)
class FirstStep:
    """The first training steps took longer than usual by more than `threshold` percent of the job's time.

    Of the first five steps, those count that took more than `factor` times the median of the later ones: a compiled
    model compiles in them, a lazily made one is made, loader workers start. Judged from `min_steps` steps on, where it
    is at least `min_excess_s` seconds. 10 % of the job, since less is not worth a change; in a long job that amounts to
    hours and does not happen.

    Estimate: at most the excess. For a compiled model the later steps would be slower without it, by an amount that a
    profile of the compiled one does not tell; a cache keeps both.
    """

    threshold: float = 10
    factor: float = 5
    min_steps: int = 20
    min_excess_s: float = 1.0

    name: ClassVar[str] = "FirstStep"
    #: While a job runs, its first step is always a large part of what there is.
    at_the_end: ClassVar[bool] = True
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "threshold": (0, 100),
        "factor": (1, 10**6),
        "min_steps": (_FIRST + 1, 10**9),
    }

    def judge(self, profile: Profile) -> Verdict:
        steps = slowest(profile)
        if steps is None or len(steps) < self.min_steps:
            seen = 0 if steps is None else len(steps)
            reason = f"{seen} training steps are too few: {self.min_steps} are needed"
            return Verdict(rule=self.name, datapoints=seen, parameters=asdict(self), unable=reason)
        usual = float(np.median(steps.durations[_FIRST:]))
        long = (np.arange(len(steps)) < _FIRST) & (steps.durations > self.factor * usual)
        excess = float((steps.durations[long] - usual).sum())
        whole = max(length_s(profile), steps.total_s)
        fires = excess >= self.min_excess_s and excess > whole * self.threshold / 100
        return Verdict(
            rule=self.name,
            findings=(self._finding(profile, steps.pick(long), usual, excess, whole),) if fires else (),
            violations=int(fires),
            datapoints=len(steps),
            parameters=asdict(self),
            details={"first_step_s": float(steps.durations[0]), "median_s": usual, "excess_s": excess},
        )

    def _finding(self, profile: Profile, steps: Steps, usual: float, excess: float, whole: float) -> Finding:
        phase, compiled = steps.dominant(), said(profile, "compiled") in ("true", "1", "yes")
        change, code = _change(phase, compiled)
        return Finding(
            rule=self.name,
            message=f"The first step{'s' if len(steps) > 1 else ''} took {steps.total_s:.1f} s where {usual:.2g} s is "
            f"usual, most of it in '{phase}': {100 * excess / whole:.0f} % of the job.",
            change=change,
            code=code,
            evidence={"first_s": steps.total_s, "median_s": usual, "excess_s": excess, "phase": phase},
            from_s=steps.from_s,
            to_s=steps.to_s,
            gain_s=excess,
            estimate="at most: the first steps as long as the median one"
            + ("; without compiling, the later steps may be slower" if compiled else ""),
        )


def _change(phase: str, compiled: bool) -> tuple[str, str]:
    if compiled:
        return (
            "Keep what was compiled for the next job, or leave compiling out of a job as short as this.",
            'os.environ["TORCHINDUCTOR_CACHE_DIR"] = "/opt/ml/checkpoints/inductor"  # before torch.compile',
        )
    if phase == "loader":
        return (
            "Open files and build indices once, not in each worker; start fewer workers, and keep them.",
            "DataLoader(dataset, num_workers=2, persistent_workers=True)",
        )
    return (
        "Do once, and keep, what the first step does: building, downloading, searching for algorithms.",
        "torch.save(prepared, '/opt/ml/checkpoints/prepared.pt')  # and load it in the next job",
    )
