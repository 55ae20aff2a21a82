"""A learning rate that has decayed to next to nothing, and how long ago."""

from __future__ import annotations

from dataclasses import dataclass

from sagehound.debug.judging.running import Running
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import Step
from sagehound.debug.trial import Trial

#: A rate is spent at this share of the highest so far: a thousand such steps go as far as one did.
SPENT = 1e-3


@dataclass(frozen=True)
class SpentRate:
    """The highest rate of all groups now and ever, and the saved training steps since and before it was spent."""

    rate: float
    highest: float
    since: int
    before: int


def spent_rate(trial: Trial, step: int) -> SpentRate | None:
    """How a spent rate stands at a global step; None while it is not spent, or where no rate is known."""
    return _rates.up_to(trial, step, "rates", _Rates).spent.get(step)


class _Rates:
    """A Learner."""

    def __init__(self) -> None:
        self.spent: dict[int, SpentRate] = {}
        self._highest = 0.0
        self._before = self._since = 0

    def take(self, trial: Trial, record: Step) -> None:
        if record.facts is None or not record.facts.learning_rates or not trains(trial, record.step):
            return
        rate = max(record.facts.learning_rates)
        self._highest = max(self._highest, rate)
        if rate >= SPENT * self._highest:
            self._before, self._since = self._before + self._since + 1, 0
            return
        self._since += 1
        self.spent[record.step] = SpentRate(rate, self._highest, self._since, self._before)


_rates: Running[_Rates] = Running()
