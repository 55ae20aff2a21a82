"""What was computed of the last few steps of a trial, so that the next rule need not do it again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sagehound.debug.trial import Trial

#: Steps of a trial that are kept: as many as a rule looks back.
STEPS_KEPT = 16

Value = TypeVar("Value")


class StepMemory(Generic[Value]):
    """Values by trial, step and key. A trial that nobody holds any more is forgotten, and so are its older steps."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Trial, OrderedDict[int, dict[Hashable, Value]]] = WeakKeyDictionary()

    def get(self, trial: Trial, step: int, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value that is kept, or else is computed now."""
        steps = self._kept.setdefault(trial, OrderedDict())
        values = steps.setdefault(step, {})
        steps.move_to_end(step)
        while len(steps) > STEPS_KEPT:
            steps.popitem(last=False)
        if key not in values:
            values[key] = compute()
        return values[key]
