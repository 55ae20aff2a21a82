"""The median rule: stop a trial that is worse than what half of the others had on average by then.

Source: SageMaker's TrainingJobEarlyStoppingType `Auto` ("Stop Training Jobs Early" in its manual), the performance
curve rule of Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017.
"""

from __future__ import annotations

import itertools
import statistics

from sagehound.tuning.space import Values
from sagehound.tuning.strategy import Strategy
from sagehound.tuning.trial import Trial
from sagehound.tuning.verdict import Verdict

#: How many trials must have come as far before one is judged by them.
ENOUGH = 3
#: A trial is judged from this part of the longest trial's epochs on: before, slow starters look like poor ones.
FIRST = 1 / 4


class MedianRule:
    """A strategy that leaves the values to another one and stops its poor trials.

    A running trial is stopped when its objective after epoch `e` is worse than the median of the averages that the
    trials which ended before had over their first `e` epochs, stopped ones too: "all previous training jobs up to the
    same epoch". Only trials that came as far are looked at, at least `ENOUGH`, from the epoch that `FIRST` says on.
    """

    def __init__(self, searched: Strategy, *, maximize: bool) -> None:
        self._searched = searched
        self._maximize = maximize
        self._trials: dict[int, Trial] = {}
        self._averages: dict[int, list[float]] = {}

    def ask(self, number: int) -> Values | None:
        """What the other strategy says."""
        return self._searched.ask(number)

    def tell(self, trial: Trial) -> None:
        """Remember the curve, and tell the other strategy."""
        self._searched.tell(trial)
        self._trials[trial.number] = trial
        self._averages.pop(trial.number, None)
        if not (trial.earlier or trial.running or trial.objective is None):
            self._averages[trial.number] = _averages(trial.curve)

    def verdict(self, number: int) -> Verdict | None:
        """The other strategy's verdict, else the rule's."""
        trial = self._trials.get(number)
        if trial is None or not trial.running or not trial.curve:
            return None
        return self._searched.verdict(number) or self._judged(trial)

    def _judged(self, trial: Trial) -> Verdict | None:
        epoch, value = len(trial.curve), trial.curve[-1]
        others = [averages[epoch - 1] for averages in self._averages.values() if len(averages) >= epoch]
        if len(others) < ENOUGH or epoch < FIRST * max(map(len, self._averages.values())):
            return None
        median = statistics.median(others)
        if value >= median if self._maximize else value <= median:
            return None
        return Verdict(
            f"Its objective after epoch {epoch}, {value:.6g}, is worse than {median:.6g}, the median of what the "
            f"{len(others)} earlier trials that came as far had on average up to there"
        )


def _averages(curve: tuple[float, ...]) -> list[float]:
    """The average of the first value, of the first two, and so on."""
    return [total / count for count, total in enumerate(itertools.accumulate(curve), 1)]
