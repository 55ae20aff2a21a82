"""When a tuning job has found enough: SageMaker's TuningJobCompletionCriteria."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sagehound.tuning.trial import Trial

#: An improvement counts from this part of the best objective on, as SageMaker defines it.
IMPROVEMENT = 0.01
#: Convergence needs so many trials, and so large a part of them, to the last, without an improvement. On the problems
#: of `benchmarks/search.py` (100 trials, 12 seeds) 3 of 60 Bayesian searches found 1 % better in as many trials again.
FEWEST = 25
UNIMPROVED = 0.7


@dataclass(frozen=True, slots=True)
class Completion:
    """The criteria of one tuning job; those that are None or False are not looked at.

    - `target`: complete when a trial's objective is as good.
    - `most_not_improving`: complete when so many trials in a row (by number) did not improve the best by 1 %.
    - `on_convergence`: complete when the search has converged.
    """

    maximize: bool
    target: float | None = None
    most_not_improving: int | None = None
    on_convergence: bool = False

    def reason(self, trials: Iterable[Trial]) -> str:
        """Why the tuning job is complete, in words for the user; "" where it is not. Trials that run, or have no
        objective, or are of earlier searches, count for nothing."""
        objectives = _objectives(trials)
        best = (max if self.maximize else min)(objectives, default=None)
        unimproved = _unimproved(objectives, maximize=self.maximize)
        if (
            best is not None
            and self.target is not None
            and (best >= self.target if self.maximize else best <= self.target)
        ):
            return f"The objective {best:.6g} has reached the target {self.target:.6g}"
        if self.most_not_improving is not None and unimproved >= self.most_not_improving:
            return f"The last {unimproved} training jobs did not improve the best objective by 1 %"
        if self.on_convergence and _converged(len(objectives), unimproved):
            return f"The search has converged: {unimproved} training jobs did not improve the best objective by 1 %"
        return ""

    def not_improving(self, trials: Iterable[Trial]) -> int:
        """How many of the last trials in a row did not improve the best objective by 1 %."""
        return _unimproved(_objectives(trials), maximize=self.maximize)

    def converged(self, trials: Iterable[Trial]) -> bool:
        """Whether further trials are unlikely to improve the best objective by 1 %."""
        objectives = _objectives(trials)
        return _converged(len(objectives), _unimproved(objectives, maximize=self.maximize))


def _objectives(trials: Iterable[Trial]) -> list[float]:
    """Those of the trials that ended, by number."""
    ended = [trial for trial in trials if not (trial.earlier or trial.running)]
    return [t.objective for t in sorted(ended, key=lambda trial: trial.number) if t.objective is not None]


def _unimproved(objectives: list[float], *, maximize: bool) -> int:
    count, best = 0, None
    for objective in objectives:
        value = -objective if maximize else objective
        if best is None or value < best - IMPROVEMENT * abs(best):
            count, best = 0, value
        else:
            count += 1
    return count


def _converged(trials: int, unimproved: int) -> bool:
    return trials >= FEWEST and unimproved >= UNIMPROVED * trials
