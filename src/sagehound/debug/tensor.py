"""One tensor over the steps of a trial."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np

from sagehound.debug.modes import ModeKeys
from sagehound.debug.reading.reader import Reader
from sagehound.debug.store.records import Step, TensorInfo
from sagehound.errors import InvalidWorker, ShapeUnavailableForStep, TensorUnavailableForStep


class Tensor:
    """A tensor by name. Steps are counted in `mode`, GLOBAL where none is given; values are NumPy arrays."""

    def __init__(self, name: str, reader: Reader) -> None:
        self.name = name
        self._reader = reader

    def __repr__(self) -> str:
        return f"Tensor({self.name!r}, saved at {len(self.steps())} steps)"

    def steps(self, mode: ModeKeys = ModeKeys.GLOBAL, show_incomplete_steps: bool = False) -> list[int]:
        """The steps at which it was saved (as values or reductions), ascending. While the training runs, a step that a
        worker has not saved yet is left out, unless incomplete ones are asked for."""
        self._reader.look_again()
        found = list(self._reader.tensors.steps(self.name, mode))
        while found and not show_incomplete_steps and not self._complete(found[-1], mode):
            found.pop()
        return found

    def prev_steps(self, step: int, n: int | None = None, mode: ModeKeys = ModeKeys.GLOBAL) -> list[int]:
        """The last `n` steps (all for None) up to and with `step`."""
        self._reader.look_again()
        found = self._reader.tensors.steps(self.name, mode)
        end = bisect_right(found, step)
        return found[max(0, end - n) if n else 0 : end]

    def value(self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None) -> np.ndarray:
        """The array at a step; of the first worker that saved it, unless one is named."""
        return self._reader.array(*self._at(step_num, mode, worker))

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
        who, record, info = self._at(step_num, mode, worker)
        if name in info.reductions:
            return self._reader.reductions(who, record, info)[name]
        from sagehound.debug.reductions import reduce_array

        return reduce_array(self._reader.array(who, record, info), name)

    def reductions(
        self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None
    ) -> dict[str, float]:
        """The reductions saved at a step, by name ("min", "abs_l2")."""
        return self._reader.reductions(*self._at(step_num, mode, worker))

    def reduction_values(
        self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None
    ) -> dict[tuple[str, bool], float]:
        """The reductions saved at a step, by name and whether it is that of the absolute values: ("l2", True)."""
        saved = self.reductions(step_num, mode, worker)
        return {(name.removeprefix("abs_"), name.startswith("abs_")): value for name, value in saved.items()}

    def shape(self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None) -> tuple[int, ...]:
        """Its shape at a step, also where only reductions were saved; ShapeUnavailableForStep where it is not known."""
        info = self._at(step_num, mode, worker)[2]
        if info.saved == "nothing" and not info.shape:
            raise ShapeUnavailableForStep(
                f"the shape of {self.name} is not known at step {step_num} of mode {mode.name}: the original debugger "
                "saved reductions of it alone"
            )
        return info.shape

    def shapes(self, mode: ModeKeys = ModeKeys.GLOBAL, worker: str | None = None) -> dict[int, tuple[int, ...]]:
        """Its shape at every saved step."""
        return {step: self.shape(step, mode, worker) for step in self.steps(mode)}

    def workers(self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL) -> list[str]:
        """Who saved it at that step; TensorUnavailableForStep where nobody did."""
        self._reader.look_again()
        at = self._reader.steps.global_step(step_num, mode)
        found = [] if at is None else [worker for worker, _, _ in self._records(at)]
        if not found:
            raise self._not_saved(step_num, mode)
        return found

    def info(self, step_num: int, mode: ModeKeys = ModeKeys.GLOBAL) -> TensorInfo:
        """What the hook knew of it at that step: kind, module, type, shape."""
        return self._at(step_num, mode, None)[2]

    def _complete(self, step: int, mode: ModeKeys) -> bool:
        at = self._reader.steps.global_step(step, mode)
        return at is not None and self._reader.complete(at)

    def _at(self, step: int, mode: ModeKeys, worker: str | None) -> tuple[str, Step, TensorInfo]:
        at = self._reader.require_step(step, mode)
        for found in self._records(at):
            if worker is None or worker == found[0]:
                return found
        known = self._reader.source.runs()
        if worker is not None and worker not in known:
            raise InvalidWorker(f"no worker {worker!r} saved anything; there are {', '.join(sorted(known))}")
        raise self._not_saved(step, mode, worker)

    def _not_saved(self, step: int, mode: ModeKeys, worker: str | None = None) -> TensorUnavailableForStep:
        return TensorUnavailableForStep(
            f"{self.name} was not saved at step {step} of mode {mode.name}"
            f"{f' by {worker}' if worker else ''}; tensor({self.name!r}).steps() lists when it was"
        )

    def _records(self, global_step: int) -> Iterator[tuple[str, Step, TensorInfo]]:
        for worker, record in sorted(self._reader.steps.by_worker(global_step).items()):
            info = self._reader.tensors.layout(worker, record.layout).infos.get(self.name)
            if info is not None:
                yield worker, record, info
