"""What was learned of a trial's steps so far, so that each saved step is looked at once, however often it is asked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from sagehound.debug.store.records import Step
from sagehound.debug.trial import Trial


class Learner(Protocol):
    """Takes in the saved steps of a trial one by one, in their order, each as its first worker recorded it. It must
    keep what it takes to answer for any step it was given: another may be asked for before the last one."""

    def take(self, trial: Trial, record: Step) -> None: ...


Learned = TypeVar("Learned", bound=Learner)


@dataclass
class _Kept(Generic[Learned]):
    learner: Learned
    taken: int = 0
    last: int = -1


class Running(Generic[Learned]):
    """Learners by trial and key. A trial that nobody holds any more is forgotten with what was learned of it."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Trial, dict[Hashable, _Kept[Learned]]] = WeakKeyDictionary()

    def up_to(self, trial: Trial, step: int, key: Hashable, make: Callable[[], Learned]) -> Learned:
        """The learner that has taken in every saved step up to a global step, and maybe later ones."""
        by_key = self._kept.setdefault(trial, {})
        numbers = trial.saved.numbers()
        kept = by_key.get(key)
        # A worker that was late has put a step in between: what was learned in another order is learned anew.
        if kept is None or (kept.taken and numbers[kept.taken - 1] != kept.last):
            kept = by_key[key] = _Kept(make())
        if step > kept.last:
            self._teach(trial, kept, numbers[kept.taken : bisect_right(numbers, step)])
        return kept.learner

    def _teach(self, trial: Trial, kept: _Kept[Learned], steps: list[int]) -> None:
        for number in steps:
            record = trial.saved.first(number)
            if record is not None:
                kept.learner.take(trial, record)
            kept.taken, kept.last = kept.taken + 1, number
