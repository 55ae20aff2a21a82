"""Which steps a training saved, by worker, mode and number."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.records import Step
from sagehound.debug.store.source import TensorSource


class SavedSteps:
    """The index of a source's steps, brought up to date by `update`."""

    def __init__(self, source: TensorSource) -> None:
        self._source = source
        self._seen: dict[str, int] = {}
        self._of_global: dict[int, dict[str, Step]] = {}
        self._global_of: dict[ModeKeys, dict[int, int]] = {}
        self._sorted: dict[ModeKeys, list[int]] = {}

    def update(self) -> None:
        """Take in what the source has read since."""
        for worker in self._source.runs():
            steps = self._source.steps(worker)
            for step in steps[self._seen.get(worker, 0) :]:
                self._of_global.setdefault(step.step, {})[worker] = step
                self._global_of.setdefault(ModeKeys[step.mode], {})[step.mode_step] = step.step
                self._sorted.clear()
            self._seen[worker] = len(steps)

    def modes(self) -> list[ModeKeys]:
        return sorted(self._global_of, key=lambda mode: mode.value)

    def numbers(self, mode: ModeKeys = ModeKeys.GLOBAL) -> list[int]:
        """The saved steps in that mode's own count, ascending; GLOBAL counts all modes together."""
        if mode not in self._sorted:
            known: Iterable[int] = self._of_global if mode is ModeKeys.GLOBAL else self._global_of.get(mode, ())
            self._sorted[mode] = sorted(known)
        return self._sorted[mode]

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

    def up_to(self, step: int, mode: ModeKeys = ModeKeys.GLOBAL) -> Sequence[int]:
        """The saved steps of `mode` up to and with `step`, both in that mode's count."""
        numbers = self.numbers(mode)
        return numbers[: bisect_right(numbers, step)]
