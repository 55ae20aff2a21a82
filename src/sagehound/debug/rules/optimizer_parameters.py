"""An optimizer that does not hold the model's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.rules.selection import trains
from sagehound.debug.trial import Trial


@dataclass(frozen=True)
class OptimizerParameters:
    """Optimizers take steps, and some or all trainable parameters of the model are in none of them.

    Formula: after `steps` optimizer steps, the parameters with requires_grad that no optimizer holds are more than 0;
    or the model has no trainable parameter at all. A second optimizer, which has not taken its first step, is not known
    yet: with alternating optimizers, `steps` must reach beyond the first step of each.

    Why it matters: such parameters get gradients and never change. Sources: PyTorch's documentation of torch.optim
    (construct the optimizer after the model has its final parameters) and forum: a model that was replaced, moved or
    deep-copied after the optimizer was made, a new head that was put in afterwards, layers in a plain list.
    """

    steps: int = 5

    name: ClassVar[str] = "OptimizerParameters"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        taken, model = trial.facts(step).optimizer_steps, trial.model
        if not trains(trial, step) or not model.optimizers or not model.parameters:
            return
        if taken is not None and taken < self.steps:
            return
        trainable = [p for p in model.parameters if p.trainable]
        left = [p for p in trainable if not p.optimized]
        if trainable and not left:
            return
        types = ", ".join(dict.fromkeys(optimizer.type for optimizer in model.optimizers))
        foreign = sum(optimizer.foreign for optimizer in model.optimizers)
        names = ", ".join(p.name for p in left[:3]) + (" ..." if len(left) > 3 else "")
        message = (
            f"{types} holds {len(trainable) - len(left)} of the model's {len(trainable)} trainable parameters; "
            f"missing: {names}." + (f" It holds {foreign} that the model does not have." if foreign else "")
            if trainable
            else f"{types} takes steps, and none of the model's {len(model.parameters)} parameters is trainable."
        )
        yield Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=left[0].name if left and trial.has_tensor(left[0].name) else "",
            module=left[0].module if left else "",
            message=message,
            why="Parameters that no optimizer holds get gradients and never change.",
            change="optimizer = torch.optim.Adam(model.parameters(), lr=lr)  # after the model has its last layer "
            "and its device; requires_grad_(False) for what is meant to stay",
            numbers={"missing": float(len(left)), "trainable": float(len(trainable)), "foreign": float(foreign)},
        )

    def unable(self, trial: Trial) -> str:
        if not trial.model.parameters:
            return "the model's parameters are not known; register it: hook.register_module(model)"
        return "" if trial.model.optimizers else "no optimizer of torch.optim took a step, so none is known"
