"""What a trial and its tensors read from: the saved data of one training, kept up to date and indexed."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from sagehound.debug.modes import ModeKeys
from sagehound.debug.reading.saved_steps import Range, SavedSteps, StepState
from sagehound.debug.reading.saved_tensors import SavedTensors
from sagehound.debug.store.records import REDUCTIONS, Step, TensorInfo, number
from sagehound.debug.store.source import TensorSource
from sagehound.errors import NoMoreData, StepNotYetAvailable, StepUnavailable, TensorUnavailableForStep

#: Looking for news takes at most this share of the time of someone who asks all the time ...
_SHARE = 1 / 20
#: ... and nobody waits longer than this to see what is there.
_LONGEST_PAUSE_S = 0.5


class Reader:
    """A source with its steps and tensors indexed.

    `live` says whether news is looked for when something is asked; `ended` whether all was read of a training that is
    over.
    """

    def __init__(
        self,
        source: TensorSource,
        within: Range = (None, None),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.steps = SavedSteps(source, within)
        self.tensors = SavedTensors(source)
        self.live = True
        self.ended = False
        self._clock = clock
        self._again_at = 0.0
        self._within = within

    def refresh(self) -> None:
        """Read what was saved since the last look."""
        if self.ended:
            return
        started = self._clock()
        self.source.refresh()
        self._index()
        self.ended = self.source.state().ended
        now = self._clock()
        self._again_at = now + min((now - started) / _SHARE, _LONGEST_PAUSE_S)

    def look_again(self) -> None:
        """Refresh, unless that was done a moment ago or is switched off."""
        if not self.live or self.ended:
            return
        if self._clock() >= self._again_at:
            self.refresh()
        else:
            self._index()  # costs next to nothing, and a source in memory has its news already

    def end(self) -> None:
        """Take it that nothing more will come, after a last look."""
        self.refresh()
        self.ended = True

    def complete(self, global_step: int) -> bool:
        """Whether the step is all there, of every worker that will save it."""
        return self.ended or self.steps.complete(global_step)

    def state_of(self, step: int, mode: ModeKeys) -> StepState:
        """What can be said of a step without looking again."""
        found = self.steps.global_step(step, mode)
        if found is not None:
            return StepState.AVAILABLE if self.complete(found) else StepState.NOT_YET_AVAILABLE
        over = self.ended or not self._reads(step, mode) or step <= self.last_passed(mode)
        return StepState.UNAVAILABLE if over else StepState.NOT_YET_AVAILABLE

    def last_passed(self, mode: ModeKeys) -> int:
        """The last step of a mode that was counted, saved or not; -1 before the first."""
        numbers = self.steps.numbers(mode)
        return max(self.source.state().passed.get(mode.name, -1), numbers[-1] if numbers else -1)

    def require_step(self, step: int, mode: ModeKeys) -> int:
        """The global number of a saved step; StepUnavailable or StepNotYetAvailable where there is none."""
        found = self.steps.global_step(step, mode)
        if found is None:
            self.look_again()
            found = self.steps.global_step(step, mode)
        if found is None:
            raise self._absent(step, mode)
        return found

    def require_more(self, step: int, mode: ModeKeys) -> None:
        """NoMoreData where the training, or the range that is looked at, has ended before that step."""
        last, end = self.last_passed(mode), self._within[1]
        if mode is ModeKeys.GLOBAL and end is not None and step >= end:
            raise NoMoreData(f"step {step} lies behind the trial's range_steps {self._within}")
        if self.ended and step > last:
            raise NoMoreData(f"there is no step {step} of mode {mode.name}: the training {self._came_to(last)}")

    def array(self, worker: str, record: Step, info: TensorInfo) -> np.ndarray:
        """A tensor as a worker saved it; TensorUnavailableForStep where only its reductions were saved."""
        if info.saved == "scalar":
            return np.asarray(number(record.scalars[info.name]))
        if info.saved == "nothing":
            raise TensorUnavailableForStep(
                f"{info.name} has only reductions at step {record.step} ({', '.join(info.reductions)}): "
                "ask with reduction_value()"
            )
        return self.source.read(worker, record.step, info.name)

    def reductions(self, worker: str, record: Step, info: TensorInfo) -> dict[str, float]:
        """A tensor's reductions as a worker saved them, by name ("min", "abs_l2")."""
        if not info.reductions:
            return {}
        start = self.tensors.layout(worker, record.layout).offsets[info.name]
        row = self.source.read(worker, record.step, REDUCTIONS)[start : start + len(info.reductions)]
        return dict(zip(info.reductions, row.tolist(), strict=True))

    def _absent(self, step: int, mode: ModeKeys) -> StepUnavailable | StepNotYetAvailable:
        last = self.last_passed(mode)
        where = f"step {step} of mode {mode.name}"
        if not self._reads(step, mode):
            return StepUnavailable(f"{where} lies outside the trial's range_steps {self._within}")
        if step <= last:
            return StepUnavailable(f"{where} was not saved; steps(mode=modes.{mode.name}) lists those that were")
        if self.ended:
            return StepUnavailable(f"there is no {where}: the training {self._came_to(last)}")
        return StepNotYetAvailable(f"the training has not come to {where} yet")

    def _came_to(self, last: int) -> str:
        return f"ended with step {last}" if last >= 0 else "counted no step of that mode"

    def _reads(self, step: int, mode: ModeKeys) -> bool:
        first, end = self._within
        return mode is not ModeKeys.GLOBAL or ((first is None or step >= first) and (end is None or step < end))

    def _index(self) -> None:
        for worker, step in self.steps.update():
            self.tensors.add(worker, step)
