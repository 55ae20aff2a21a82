"""One tensor over the steps of a trial."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.records import REDUCTIONS, Step, TensorInfo, number
from sagehound.errors import InvalidWorker, ShapeUnavailableForStep, TensorUnavailableForStep

if TYPE_CHECKING:
    from sagehound.debug.trial import Trial


class Tensor:
    """A tensor by name. Steps are counted in `mode`, GLOBAL where none is given; values are NumPy arrays."""

    def __init__(self, name: str, trial: Trial) -> None:
        self.name = name
        self._trial = trial

    def steps(self, mode: ModeKeys = ModeKeys.GLOBAL, show_incomplete_steps: bool = False) -> list[int]:
        """The steps at which it was saved (as values or reductions), ascending."""
        steps, found = self._trial.saved, []
        for step in steps.numbers(mode):
            at = steps.global_step(step, mode)
            if at is not None and any(True for _ in self._records(at)):
                found.append(step)
        return found

    def prev_steps(self, step: int, n: int | None, mode: ModeKeys = ModeKeys.GLOBAL) -> list[int]:
        """The last `n` steps (all for None) up to and with `step`."""
        before = [s for s in self.steps(mode) if s <= step]
        return before if n is None else before[max(0, len(before) - n) :]

    def value(self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None) -> np.ndarray:
        """The array at a step; of the first worker that saved it, unless one is named."""
        who, record, info = self._at(step_num, mode, worker)
        if info.saved == "scalar":
            return np.asarray(number(record.scalars[self.name]))
        if info.saved == "nothing":
            raise TensorUnavailableForStep(
                f"{self.name} has only reductions at step {step_num} of mode {mode.name} "
                f"({', '.join(info.reductions)}): ask with reduction_value()"
            )
        return self._trial.source.read(who, record.step, self.name)

    def values(self, mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None) -> dict[int, np.ndarray]:
        """Every saved value, by step."""
        return {step: self.value(step, mode, worker) for step in self.steps(mode)}

    def reduction_value(
        self,
        step_num: int,
        reduction_name: str,
        mode: ModeKeys = ModeKeys.GLOBAL,
        worker: str | None = None,
        abs: bool = False,
    ) -> float:
        """A reduction at a step: as it was saved, or computed from the saved array."""
        name = f"abs_{reduction_name}" if abs else reduction_name
        found = self.reduction_values(step_num, mode, worker)
        if name in found:
            return found[name]
        from sagehound.debug.reductions import reduce_array

        return reduce_array(self.value(step_num, mode, worker), name)

    def reduction_values(
        self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None
    ) -> dict[str, float]:
        """The reductions saved at a step, by name ("min", "abs_l2")."""
        who, record, info = self._at(step_num, mode, worker)
        if not info.reductions:
            return {}
        start = 0
        for other in self._trial.source.layout(who, record.layout).tensors:
            if other.name == self.name:
                break
            start += len(other.reductions)
        row = self._trial.source.read(who, record.step, REDUCTIONS)[start : start + len(info.reductions)]
        return dict(zip(info.reductions, row.tolist(), strict=True))

    def shape(self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None) -> tuple[int, ...]:
        """Its shape at a step, also where only reductions were saved."""
        try:
            return self._at(step_num, mode, worker)[2].shape
        except TensorUnavailableForStep as error:
            raise ShapeUnavailableForStep(str(error)) from error

    def shapes(self, mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None) -> dict[int, tuple[int, ...]]:
        """Its shape at every saved step."""
        return {step: self.shape(step, mode, worker) for step in self.steps(mode)}

    def workers(self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL) -> list[str]:
        """Who saved it at that step."""
        return [worker for worker, _, _ in self._records(self._trial.require_step(step_num, mode))]

    def info(self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL) -> TensorInfo:
        """What the hook knew of it at that step: kind, module, type, shape."""
        return self._at(step_num, mode, None)[2]

    def _at(self, step: int, mode: ModeKeys, worker: str | None) -> tuple[str, Step, TensorInfo]:
        at = self._trial.require_step(step, mode)
        if worker is not None and worker not in self._trial.workers():
            raise InvalidWorker(f"no worker {worker!r} saved anything; there are {', '.join(self._trial.workers())}")
        for found in self._records(at):
            if worker in (None, found[0]):
                return found
        raise TensorUnavailableForStep(
            f"{self.name} was not saved at step {step} of mode {mode.name}"
            f"{f' by {worker}' if worker else ''}; tensor({self.name!r}).steps() lists when it was"
        )

    def _records(self, global_step: int) -> Iterator[tuple[str, Step, TensorInfo]]:
        for worker, record in sorted(self._trial.saved.by_worker(global_step).items()):
            info = self._trial.layout_infos(worker, record.layout).get(self.name)
            if info is not None:
                yield worker, record, info
