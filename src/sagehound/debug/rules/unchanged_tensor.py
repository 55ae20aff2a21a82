"""Tensors that have ceased to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import read
from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.place import place
from sagehound.debug.rules.selection import (
    chosen,
    chosen_at_some_step,
    parameters_left_alone,
    saved_kinds,
    trains,
    updated_between,
)
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial
from sagehound.errors import InvalidInput

_PARAMETERS = ("weight", "bias", "parameter")
_CHUNK = 65536
_OF_ALL_ELEMENTS = {"sum", "mean", "l1", "l2", "std", "variance", "abs_sum", "abs_mean", "abs_l1", "abs_l2"}


@dataclass(frozen=True)
class UnchangedTensor:
    """A tensor is the same at its last `num_steps` saved steps.

    Formula: numpy.allclose(t(s), t(p), rtol, atol, equal_nan), that is |t(s) - t(p)| <= atol + rtol * |t(p)| for every
    element, for each p of the `num_steps` - 1 steps before s that saved it in the mode of s. A tensor saved as
    reductions is taken for unchanged where all of them are equal to the last digit, and one of them is over all
    elements (sum, mean, a norm, a deviation).

    The tensors are those in `collection_names` or matching `tensor_regex`. The guide asks for one of the two; where
    neither is given, weights and losses are judged. Parameters are judged in training only, and only where an optimizer
    took a step in between, if that is known. A parameter that is frozen or that no optimizer holds is meant to stay: it
    is left out, unless `tensor_regex` matches it.

    Why it matters: weights that do not change do not learn, and a constant loss is computed from something that does
    not depend on them. Parameters and defaults are those of AWS's guide.
    """

    collection_names: tuple[str, ...] = ()
    tensor_regex: tuple[str, ...] = ()
    num_steps: int = 3
    rtol: float = 1e-5
    atol: float = 1e-8
    equal_nan: bool = False

    name: ClassVar[str] = "UnchangedTensor"

    def __post_init__(self) -> None:
        if self.num_steps < 2:
            raise InvalidInput(f"UnchangedTensor: num_steps is {self.num_steps}; at least 2 are needed to compare")

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        for info in self._looked_at(trial, step):
            steps = self._steps(trial, info, step)
            if len(steps) == self.num_steps and self._same(trial, info, steps):
                yield self._finding(trial, step, info, steps)

    def unable(self, trial: Trial) -> str:
        if self.collection_names or self.tensor_regex:
            reason = chosen_at_some_step(trial, self.collection_names, self.tensor_regex)
        else:
            reason = "" if saved_kinds(trial) & {"weight", "loss"} else "neither weights nor losses were saved"
        if reason:
            return reason
        steps = reversed(trial.steps())
        if any(
            len(self._steps(trial, info, at)) == self.num_steps for at in steps for info in self._looked_at(trial, at)
        ):
            return ""
        return f"no tensor to be judged was saved at {self.num_steps} steps of one mode; save more often"

    def _looked_at(self, trial: Trial, step: int) -> list[TensorInfo]:
        if self.collection_names or self.tensor_regex:
            infos = chosen(trial, step, self.collection_names, self.tensor_regex)
        else:
            infos = [info for info in trial.infos(step) if info.kind in ("weight", "loss")]
        if any(info.kind in _PARAMETERS for info in infos):
            by_name = {info.name for info in chosen(trial, step, (), self.tensor_regex)}
            kept = parameters_left_alone(trial) - by_name
            here = trains(trial, step)
            infos = [i for i in infos if i.kind not in _PARAMETERS or (here and i.name not in kept)]
        return infos

    def _steps(self, trial: Trial, info: TensorInfo, step: int) -> list[int]:
        """The last `num_steps` global steps of the mode that saved the tensor, with `step`; fewer where there are."""
        record = trial.saved.first(step)
        if record is None:
            return []
        mode = ModeKeys[record.mode]
        own = trial.tensor(info.name).prev_steps(record.mode_step, self.num_steps, mode)
        steps = [at for each in own if (at := trial.saved.global_step(each, mode)) is not None]
        if info.kind in _PARAMETERS:
            moved = all(updated_between(trial, a, b) for a, b in pairwise(steps))
            return steps if moved else []
        return steps

    def _same(self, trial: Trial, info: TensorInfo, steps: Sequence[int]) -> bool:
        *earlier, now = steps
        if info.saved == "nothing":
            return self._same_reductions(trial, info, steps)
        last = read(trial, info.name, now)
        return last is not None and all(self._close(last, read(trial, info.name, at)) for at in reversed(earlier))

    def _same_reductions(self, trial: Trial, info: TensorInfo, steps: Sequence[int]) -> bool:
        if not _OF_ALL_ELEMENTS & set(info.reductions):
            return False
        last, *others = (trial.tensor(info.name).reductions(step) for step in steps)
        return all(last == other for other in others)

    def _close(self, now: np.ndarray, before: np.ndarray | None) -> bool:
        """numpy.allclose, part by part, so that the first difference ends it."""
        if before is None or now.shape != before.shape:
            return False
        one, other = now.reshape(-1), before.reshape(-1)
        return all(
            np.allclose(
                one[start : start + _CHUNK], other[start : start + _CHUNK], self.rtol, self.atol, self.equal_nan
            )
            for start in range(0, one.size, _CHUNK)
        )

    def _finding(self, trial: Trial, step: int, info: TensorInfo, steps: Sequence[int]) -> Finding:
        first = trial.mode_step(steps[0])
        return Finding(
            rule=self.name,
            **place(trial, step, info),
            message=f"{info.name} has been the same at {self.num_steps} saved steps, since step {first} "
            f"(within {self.rtol:g} of its value + {self.atol:g}).",
            why="A weight that does not change does not learn; a loss that does not change does not depend on the "
            "weights.",
            change="torch.optim.AdamW(model.parameters(), lr=1e-3), with optimizer.step() after loss.backward(); "
            "no detach() or torch.no_grad() between the weights and the loss",
            numbers={"num_steps": self.num_steps, "rtol": self.rtol, "atol": self.atol, "since_step": first},
        )
