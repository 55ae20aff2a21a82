"""Batches that are gathered over saved steps until they make up as many samples as a rule wants."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sagehound.debug.judging.running import Running
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import Step
from sagehound.debug.trial import Trial

#: Saved steps that are gathered at most; the oldest are let go.
FARTHEST = 5_000


def gathered(trial: Trial, step: int, name: str, samples: int, *, elements: bool = True) -> Sequence[int]:
    """The saved steps whose values of a tensor make up `samples`, up to this one; none where they do not, as yet.

    They are steps that did what this one does (its mode; training or not), and each is gathered once: where enough are
    together, the next ones are for another time. A sample is an element of the tensor, or an index of its first
    dimension.
    """
    learner = _gathered.up_to(trial, step, (name, samples, elements), lambda: _Gathered(name, samples, elements))
    return learner.due.get(step, ())


class _Gathered:
    """A Learner. `due` has the steps that came together, by the last of them."""

    def __init__(self, name: str, samples: int, elements: bool) -> None:
        self.due: dict[int, list[int]] = {}
        self._name, self._samples, self._elements = name, samples, elements
        self._waiting: dict[tuple[str, bool], list[tuple[int, int]]] = {}

    def take(self, trial: Trial, record: Step) -> None:
        shape = next((info.shape for info in trial.infos(record.step) if info.name == self._name), None)
        if shape is None:
            return
        kind = record.mode, trains(trial, record.step)
        waiting = self._waiting.setdefault(kind, [])
        waiting.append((record.step, math.prod(shape) if self._elements else shape[0] if shape else 1))
        if sum(count for _, count in waiting) >= self._samples:
            self.due[record.step] = [step for step, _ in waiting]
            waiting.clear()
        elif len(waiting) >= FARTHEST:
            waiting.pop(0)


_gathered: Running[_Gathered] = Running()
