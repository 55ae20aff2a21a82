"""Evaluating takes a large part of the training's time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.steps import Steps, every_process
from sagehound.profile.profile import Profile


@dataclass(frozen=True)
class EvaluationShare:
    """Steps in evaluation mode take more than `threshold` percent of the time of all steps, in more than one
    evaluation.

    25 %: a fifth of the data held out, evaluated after each epoch without a backward pass (a third of a training
    step's work), takes about 8 % of an epoch; three times that is more than is needed to see the course. Judged from
    `min_rounds` evaluations on (one at the end is what a job is for) and where they took `min_total_s` seconds.

    Estimate: evaluated every n-th time only, with n the smallest that brings the share below 10 %, and once more at the
    end.
    """

    threshold: float = 25
    min_rounds: int = 2
    min_total_s: float = 1.0

    name: ClassVar[str] = "EvaluationShare"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"threshold": (0, 100)}

    def judge(self, profile: Profile) -> Verdict:
        evaluations, trainings = every_process(profile, "EVAL"), every_process(profile, "TRAIN")
        if not evaluations or not trainings:
            missing = "training" if evaluations else "evaluation"
            return Verdict(rule=self.name, parameters=asdict(self), unable=f"no {missing} steps were seen")
        slow = max(evaluations, key=lambda each: each.total_s)
        beside = [each for each in trainings if (each.node, each.pid) == (slow.node, slow.pid)]
        training = beside[0] if beside else max(trainings, key=lambda each: each.total_s)
        share = 100 * slow.total_s / ((slow.total_s + training.total_s) or 1.0)
        rounds = _rounds(slow, training)
        fires = share > self.threshold and rounds >= self.min_rounds and slow.total_s >= self.min_total_s
        return Verdict(
            rule=self.name,
            findings=(self._finding(slow, training, share, rounds),) if fires else (),
            violations=int(fires),
            datapoints=len(slow) + len(training),
            parameters=asdict(self),
            details={"evaluation_share_percent": share, "rounds": rounds, "evaluation_s": slow.total_s},
        )

    def _finding(self, slow: Steps, training: Steps, share: float, rounds: int) -> Finding:
        each_s = slow.total_s / rounds
        every = min(rounds, max(2, math.ceil(slow.total_s / (training.total_s / 9 or 1.0))))
        kept = min(rounds, math.ceil(rounds / every) + (rounds % every == 0))
        kept = max(1, min(kept, rounds - 1))
        return Finding(
            rule=self.name,
            message=f"{rounds} evaluations take {share:.0f} % of the steps' time ({slow.total_s:.1f} s, {each_s:.2g} s "
            "each).",
            change="Evaluate more rarely, or on a fixed part of the data while training and on all of it at the end.",
            code=f"if epoch % {every} == 0 or epoch == epochs - 1: evaluate(model)",
            evidence={"evaluation_share_percent": share, "evaluation_s": slow.total_s, "rounds": rounds},
            from_s=slow.from_s,
            to_s=slow.to_s,
            gain_s=(rounds - kept) * each_s,
            estimate=f"{kept} evaluations of {each_s:.2g} s instead of {rounds}",
        )


def _rounds(evaluation: Steps, training: Steps) -> int:
    """How often the training went over into evaluation."""
    before = np.searchsorted(training.starts, evaluation.starts)
    return len(np.unique(before))
