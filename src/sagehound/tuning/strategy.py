"""The contract of a search strategy."""

from __future__ import annotations

from typing import Protocol

from sagehound.tuning.space import Values
from sagehound.tuning.trial import Trial
from sagehound.tuning.verdict import Verdict


class Strategy(Protocol):
    """Chooses the values of the next trial from what is known of the trials before it, and says which should end early.

    - `ask` returns the values of trial `number` (from 1), all of them inside the space, or None where there is nothing
      left to try. The trial then counts as running until it is told. Numbers are asked in rising order, each once.
    - `tell` says what is known of a trial, asked here or not: that it runs and how far it came, or how it ended.
      Telling again replaces. InvalidInput where its values are not of the space. Trials of earlier searches (numbers
      below 1) are told before anything is asked: they inform the choice of values, and are compared with no curve.
    - `verdict` says why trial `number`, which runs, should be stopped as it was last told; None to let it go on, and
      for a trial that was not told, or has ended.

    A strategy keeps nothing that cannot be told to it again. Values and verdicts depend only on the space, the seed,
    the goal, the number, and the set of trials told or asked before - not on the order of telling, the clock, the
    process or its hash seed. So a new strategy that is told all past trials goes on exactly as the old one would have,
    and trials run one at a time are the same for the same seed. With parallel trials, which results are known when
    trial k is asked depends on which trials were quicker; where it is the same, so is trial k.

    Not safe for use from two threads at once.
    """

    def ask(self, number: int) -> Values | None: ...
    def tell(self, trial: Trial) -> None: ...
    def verdict(self, number: int) -> Verdict | None: ...
