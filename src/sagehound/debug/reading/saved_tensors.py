"""Which tensors a training saved, and at which steps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from sagehound.debug.modes import ModeKeys
from sagehound.debug.reading.saved_steps import insert
from sagehound.debug.store.records import Step, TensorInfo
from sagehound.debug.store.source import TensorSource

_LAYOUTS_KEPT = 256


class LayoutIndex:
    """The tensors of one layout by name, and where each one's reductions begin in the array of all."""

    def __init__(self, tensors: tuple[TensorInfo, ...]) -> None:
        self.infos = {info.name: info for info in tensors}
        self.offsets: dict[str, int] = {}
        start = 0
        for info in tensors:
            self.offsets[info.name] = start
            start += len(info.reductions)


class SavedTensors:
    """The index of the tensors of all steps that `add` was told of.

    Layouts may be as many as steps (a shape that changes makes a new one), yet their names repeat: steps are grouped
    by the set of names they saved, so that a question about one tensor costs a look at a few sets.
    """

    def __init__(self, source: TensorSource) -> None:
        self._source = source
        self.layout = lru_cache(_LAYOUTS_KEPT)(self._read_layout)
        #: Every tensor by name, as it was saved first.
        self.infos: dict[str, TensorInfo] = {}
        self._by_mode: dict[str, set[str]] = {}
        self._collections: dict[str, set[str]] = {}
        self._sets: dict[tuple[str, ...], int] = {}
        self._set_of: dict[tuple[str, int], int] = {}
        self._sets_with: dict[str, set[int]] = {}
        self._told: list[tuple[int, Step]] = []
        self._seen: set[tuple[int, str]] = set()
        self._steps: dict[tuple[str, ModeKeys], _StepList] = {}

    def add(self, worker: str, step: Step) -> None:
        """Take in one saved step."""
        key = (worker, step.layout)
        number = self._set_of.get(key)
        if number is None:
            number = self._set_of[key] = self._add_layout(self._source.layout(worker, step.layout).tensors)
        self._told.append((number, step))
        if (number, step.mode) not in self._seen:
            self._seen.add((number, step.mode))
            self._by_mode.setdefault(step.mode, set()).update(self.layout(*key).infos)

    def in_mode(self, mode: ModeKeys) -> set[str]:
        """The names saved at any step of a mode."""
        return self._by_mode.get(mode.name, set())

    def collections(self) -> Mapping[str, set[str]]:
        """The names saved in each collection."""
        return self._collections

    def steps(self, name: str, mode: ModeKeys) -> list[int]:
        """The steps that saved a tensor, in the mode's count, ascending. Not to be changed."""
        sets = self._sets_with.get(name)
        if sets is None:
            return []
        if (name, mode) not in self._steps:
            self._steps[name, mode] = _StepList(sets, mode)
        return self._steps[name, mode].up_to_date(self._told)

    def _read_layout(self, worker: str, number: int) -> LayoutIndex:
        return LayoutIndex(self._source.layout(worker, number).tensors)

    def _add_layout(self, tensors: tuple[TensorInfo, ...]) -> int:
        names = tuple(info.name for info in tensors)
        for info in tensors:
            self.infos.setdefault(info.name, info)
            for collection in info.collections:
                self._collections.setdefault(collection, set()).add(info.name)
        if names not in self._sets:
            number = self._sets[names] = len(self._sets)
            for name in names:
                self._sets_with.setdefault(name, set()).add(number)
        return self._sets[names]


class _StepList:
    """The steps of some sets of names; each look reads only what was told since the last one."""

    def __init__(self, sets: set[int], mode: ModeKeys) -> None:
        self._sets = sets  # grows with the index, and what it gains stands in steps told later
        self._mode = mode
        self._read = 0
        self._steps: list[int] = []

    def up_to_date(self, told: list[tuple[int, Step]]) -> list[int]:
        for number, step in told[self._read :]:
            if number not in self._sets:
                continue
            if self._mode is ModeKeys.GLOBAL:
                insert(self._steps, step.step)
            elif step.mode == self._mode.name:
                insert(self._steps, step.mode_step)
        self._read = len(told)
        return self._steps
