"""Hyperband: many trials begin, the better ones of each rung go on.

Sources: Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization", JMLR 18, 2018; and for
the asynchronous form, in which no trial waits for another: Li et al., "A System for Massively Parallel Hyperparameter
Tuning" (ASHA), MLSys 2020, in its variant that stops trials instead of pausing them.
"""

from __future__ import annotations

import math

from sagehound.tuning.resource import Resource
from sagehound.tuning.space import Values
from sagehound.tuning.strategy import Strategy
from sagehound.tuning.trial import Trial
from sagehound.tuning.verdict import Verdict

#: One in so many trials of a rung goes on to the next, which is so many times as far.
REDUCTION = 3


class Hyperband:
    """A strategy that leaves the values to another one and stops its trials at rungs.

    The rungs are at MinResource, and from there each `REDUCTION` times as far, below MaxResource. A trial that has come
    to a rung goes on while it is among the best 1 / `REDUCTION` of all trials that came there (at least the best
    one). At MaxResource it has finished. Trials are dealt out to brackets: those of bracket b are first judged at rung
    b, those of the last one never, so that a slow starter has its chance.
    """

    def __init__(self, searched: Strategy, resource: Resource, *, maximize: bool) -> None:
        self._searched = searched
        self._resource = resource
        self._sign = -1.0 if maximize else 1.0
        self._rungs = _rungs(resource)
        self._brackets = _brackets(len(self._rungs))
        self._trials: dict[int, Trial] = {}
        self._reached: list[dict[int, float]] = [{} for _ in self._rungs]

    def ask(self, number: int) -> Values | None:
        """What the other strategy says."""
        return self._searched.ask(number)

    def tell(self, trial: Trial) -> None:
        """Remember what it had at each rung, and tell the other strategy."""
        self._searched.tell(trial)
        self._trials[trial.number] = trial
        for epoch, reached in zip(self._rungs, self._reached, strict=True):
            reached.pop(trial.number, None)
            if len(trial.curve) >= epoch and not trial.earlier:
                reached[trial.number] = self._sign * trial.curve[epoch - 1]

    def verdict(self, number: int) -> Verdict | None:
        """Whether it has finished, or is not good enough at the last rung that it came to."""
        trial = self._trials.get(number)
        if trial is None or not trial.running:
            return None
        if len(trial.curve) >= self._resource.most:
            return Verdict(f"It has had all of its {self._resource.most} epochs (MaxResource)", finished=True)
        passed = [rung for rung, reached in enumerate(self._reached) if number in reached]
        if not passed or passed[-1] < self._bracket(number):
            return None
        return self._judged(number, passed[-1])

    def _judged(self, number: int, rung: int) -> Verdict | None:
        reached = self._reached[rung]
        places = max(1, len(reached) // REDUCTION)
        last = sorted(reached.values())[places - 1]
        if reached[number] <= last:
            return None
        return Verdict(
            f"Its objective after epoch {self._rungs[rung]}, {self._sign * reached[number]:.6g}, is not among the best "
            f"{places} of {len(reached)} trials there, which begin at {self._sign * last:.6g}"
        )

    def _bracket(self, number: int) -> int:
        return self._brackets[(number - 1) % len(self._brackets)]


def _rungs(resource: Resource) -> list[int]:
    """The epochs at which trials are compared; none where MinResource is MaxResource."""
    rungs, epoch = [], resource.least
    while epoch < resource.most:
        rungs.append(epoch)
        epoch *= REDUCTION
    return rungs


def _brackets(rungs: int) -> list[int]:
    """The brackets of consecutive trials, in the numbers of Hyperband (Algorithm 1 of its paper, where bracket b is
    called s = rungs - b), each spread evenly over the row."""
    sizes = [math.ceil((rungs + 1) / (rungs - b + 1) * REDUCTION ** (rungs - b)) for b in range(rungs + 1)]
    places = [((place + 0.5) / size, b) for b, size in enumerate(sizes) for place in range(size)]
    return [b for _, b in sorted(places)]
