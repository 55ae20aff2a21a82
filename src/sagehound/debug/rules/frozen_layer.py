"""A layer that never changes though it should train."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import read, statistics
from sagehound.debug.rules.history import alike, index
from sagehound.debug.rules.selection import parameters_left_alone, saved_kinds, trains
from sagehound.debug.store.records import Step, TensorInfo
from sagehound.debug.trial import Trial

#: Training steps after which an optimizer that has not taken one never will: longer than gradients are accumulated.
_NEVER = 50
_PARAMETERS = ("weight", "bias", "parameter", "gradient")


@dataclass(frozen=True)
class FrozenLayer:
    """A layer is trainable (requires_grad) and does not change.

    Formula, over the last `num_steps` saved training steps with these tensors: every weight and bias of a module is
    bit by bit what it was, while an optimizer took steps with a rate above 0; or every gradient of the module is
    exactly zero. And from `num_steps` steps of an optimizer on: some trainable parameters are held by no optimizer,
    while others are. Parameters without requires_grad are meant to stay and not looked at.

    Why it matters: the layer stays as it was initialised, and the model is smaller than it looks. Sources: PyTorch's
    forum and documentation (layers kept in a Python list, detach() or .data in the forward, parameters created after
    the optimizer, updates below the resolution of bfloat16; the parameters that DistributedDataParallel calls unused).
    """

    num_steps: int = 5

    name: ClassVar[str] = "FrozenLayer"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        if not trains(trial, step):
            return
        yield from self._held_by_none(trial, step)
        alone = parameters_left_alone(trial)
        by_module: dict[tuple[bool, str], list[TensorInfo]] = {}
        for info in trial.infos(step):
            if info.kind in _PARAMETERS and info.saved != "scalar" and info.name.removeprefix("gradient/") not in alone:
                by_module.setdefault((info.kind == "gradient", info.module), []).append(info)
        for (gradients, _), infos in by_module.items():
            if gradients:
                yield from self._no_gradient(trial, step, infos)
            elif index(trial, step) % self.num_steps == self.num_steps - 1:
                yield from self._unchanged(trial, step, infos)

    def unable(self, trial: Trial) -> str:
        if trial.model.optimizers or saved_kinds(trial) & {"weight", "gradient"}:
            return ""
        return "neither weights nor gradients were saved; add CollectionConfig(name='weights') or name='gradients'"

    def _held_by_none(self, trial: Trial, step: int) -> Iterator[Finding]:
        model, taken = trial.model, trial.facts(step).optimizer_steps
        left = [p for p in model.parameters if p.trainable and not p.optimized]
        some = any(p.optimized for p in model.parameters)
        if not (left and some and model.optimizers and taken is not None and taken >= self.num_steps):
            return
        modules = list(dict.fromkeys(p.module for p in left))
        yield self._finding(
            trial,
            step,
            left[0].name if trial.has_tensor(left[0].name) else "",
            modules[0],
            f"No optimizer holds {_count(len(left), 'trainable parameter')} of {_count(len(modules), 'module')}: "
            f"{', '.join(p.name for p in left[:3])}{' ...' if len(left) > 3 else ''}.",
            "optimizer.add_param_group({'params': module.parameters()}), or parameter.requires_grad_(False) for "
            "what is meant to stay",
            {"parameters": float(len(left)), "optimizer_steps": float(taken)},
        )

    def _no_gradient(self, trial: Trial, step: int, infos: Sequence[TensorInfo]) -> Iterator[Finding]:
        if not all(_is_zero(trial, info, step) for info in infos):
            return
        records = _with(trial, step, infos, self.num_steps)
        if len(records) == self.num_steps and all(_is_zero(trial, i, r.step) for r in records[1:] for i in infos):
            name = infos[0].name
            yield self._finding(
                trial,
                step,
                name,
                infos[0].module,
                f"{infos[0].module or 'The model'} ({infos[0].module_type}) had no gradient at the last "
                f"{self.num_steps} saved steps: it is exactly zero.",
                "look for .detach(), .data, torch.no_grad() or a dead ReLU between this layer and the loss",
                {"steps": float(self.num_steps)},
            )

    def _unchanged(self, trial: Trial, step: int, infos: Sequence[TensorInfo]) -> Iterator[Finding]:
        records = _with(trial, step, infos, self.num_steps)
        if len(records) < self.num_steps or not _could_change(trial, records):
            return
        if all(_same(trial, info.name, step, each.step) for info in infos for each in records[1:]):
            yield self._finding(
                trial,
                step,
                infos[0].name,
                infos[0].module,
                f"{infos[0].module or 'The model'} ({infos[0].module_type}) has not changed over the last "
                f"{self.num_steps} saved steps, from step {records[-1].mode_step} to {records[0].mode_step}.",
                "print([n for n, p in model.named_parameters() if p.grad is None]) after backward; optimizer.step() "
                "after it; float32 master weights (torch.autocast) where the model itself is bfloat16",
                {"steps": float(self.num_steps)},
            )

    def _finding(
        self, trial: Trial, step: int, tensor: str, module: str, message: str, change: str, numbers: dict[str, float]
    ) -> Finding:
        return Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=tensor,
            module=module,
            message=message,
            why="The layer stays as it was initialised and adds nothing that was learned.",
            change=change,
            numbers={**numbers},
        )


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _with(trial: Trial, step: int, infos: Sequence[TensorInfo], count: int) -> list[Step]:
    """The last saved training steps that have all these tensors, the newest first."""
    names = {info.name for info in infos}
    found = (r for r in islice(alike(trial, step), 10 * count) if names <= {i.name for i in trial.infos(r.step)})
    return list(islice(found, count))


def _is_zero(trial: Trial, info: TensorInfo, step: int) -> bool:
    found = statistics(trial, info.name, step)
    return found.count > 0 and found.zeros == found.count


def _same(trial: Trial, name: str, step: int, other: int) -> bool:
    if statistics(trial, name, step) != statistics(trial, name, other):
        return False
    a, b = read(trial, name, step), read(trial, name, other)
    return a is not None and b is not None and bool(np.array_equal(a, b))


def _could_change(trial: Trial, records: Sequence[Step]) -> bool:
    """Whether an optimizer took steps in between, with a rate above 0; or should have long ago."""
    facts = [trial.facts(record.step) for record in records]
    if any(each.learning_rates and max(each.learning_rates) == 0 for each in facts):
        return False
    new, old = facts[0].optimizer_steps, facts[-1].optimizer_steps
    if new is None or old is None:
        return True
    return new > old or (new == 0 and bool(facts[0].backward) and records[0].mode_step >= _NEVER)
