"""Which steps a training saved, by worker, mode and number."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from enum import Enum

from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.records import Step
from sagehound.debug.store.source import TensorSource

#: The first and the last (exclusive) global step to look at; None is open.
Range = tuple[int | None, int | None]


class StepState(Enum):
    """What can be said of a step: it was saved by all workers, it has passed and was not saved, or neither yet."""

    UNAVAILABLE = 0
    AVAILABLE = 1
    NOT_YET_AVAILABLE = 2


class SavedSteps:
    """The index of a source's steps, brought up to date by `update`."""

    def __init__(self, source: TensorSource, within: Range = (None, None)) -> None:
        self._source = source
        self._first, self._end = within
        self._seen: dict[str, int] = {}
        self._of_global: dict[int, dict[str, Step]] = {}
        self._global_of: dict[ModeKeys, dict[int, int]] = {}
        self._numbers: dict[ModeKeys, list[int]] = {}
        self._expected = 1
        self._last_complete = -1

    def update(self) -> Iterator[tuple[str, Step]]:
        """Take in what the source has read since, and tell each step and its worker."""
        for worker, run in self._source.runs().items():
            self._expected = max(self._expected, run.workers)
            steps = self._source.steps(worker)
            start = self._seen.get(worker, 0)
            self._seen[worker] = len(steps)
            for step in steps[start:] if start else steps:
                if self._within(step.step):
                    self._add(worker, step)
                    yield worker, step

    def modes(self) -> list[ModeKeys]:
        """The modes in which steps were saved."""
        return sorted(self._global_of, key=lambda mode: mode.value)

    def numbers(self, mode: ModeKeys = ModeKeys.GLOBAL) -> list[int]:
        """The saved steps in that mode's own count, ascending; GLOBAL counts all modes together. Not to be changed."""
        return self._numbers.get(mode, [])

    def global_step(self, step: int, mode: ModeKeys) -> int | None:
        """The global number of a mode's step; None where it was not saved."""
        if mode is ModeKeys.GLOBAL:
            return step if step in self._of_global else None
        return self._global_of.get(mode, {}).get(step)

    def by_worker(self, global_step: int) -> dict[str, Step]:
        """What each worker saved at that global step; empty where none did."""
        return self._of_global.get(global_step, {})

    def first(self, global_step: int) -> Step | None:
        """The record of the first worker by name."""
        records = self.by_worker(global_step)
        return records[min(records)] if records else None

    def complete(self, global_step: int) -> bool:
        """Whether no worker is waited for: each has saved the step, or all have saved a later one."""
        return global_step <= self._last_complete or len(self.by_worker(global_step)) >= self._expected

    def up_to(self, step: int, mode: ModeKeys = ModeKeys.GLOBAL) -> Sequence[int]:
        """The saved steps of `mode` up to and with `step`, both in that mode's count."""
        numbers = self.numbers(mode)
        return numbers[: bisect_right(numbers, step)]

    def after(self, step: int, most: int | None = None) -> Sequence[int]:
        """The saved global steps after `step`; the first few of them where `most` says so."""
        numbers = self.numbers()
        start = bisect_right(numbers, step)
        return numbers[start : None if most is None else start + most]

    def _within(self, step: int) -> bool:
        return (self._first is None or step >= self._first) and (self._end is None or step < self._end)

    def _add(self, worker: str, step: Step) -> None:
        mode, number = ModeKeys[step.mode], step.step
        workers = self._of_global.setdefault(number, {})
        workers[worker] = step
        self._global_of.setdefault(mode, {})[step.mode_step] = number
        insert(self._numbers.setdefault(ModeKeys.GLOBAL, []), number)
        if mode is not ModeKeys.GLOBAL:
            insert(self._numbers.setdefault(mode, []), step.mode_step)
        if number > self._last_complete and len(workers) >= self._expected:
            self._last_complete = number


def insert(ascending: list[int], number: int) -> None:
    """Put a number where it belongs, once; nearly always that is the end.

    >>> numbers = [1, 5]
    >>> for number in (9, 5, 3): insert(numbers, number)
    >>> numbers
    [1, 3, 5, 9]
    """
    if not ascending or number > ascending[-1]:
        ascending.append(number)
        return
    place = bisect_left(ascending, number)
    if ascending[place] != number:
        ascending.insert(place, number)
