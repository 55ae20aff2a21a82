"""Train and eval mode confused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.rules.history import alike
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial


@dataclass(frozen=True)
class TrainEvalMode:
    """Dropout or batch-norm modules are in train mode while the model is evaluated, or all of them in eval mode while
    it is trained.

    Formula: evaluating is a step of mode EVAL or PREDICT, or one without gradients, that no backward follows; it fires
    when the root's `training` flag is on and so is that of some dropout or batch-norm, or when a batch-norm's flag is
    on although the root's is off. (Dropout alone, under a root in eval mode, is Monte Carlo dropout and meant so: Gal
    and Ghahramani 2016.) Training is a step with gradients that a backward follows; it fires when the root and all of
    its dropout and batch-norm modules are in eval mode, here and at the saved step before. A frozen backbone in eval
    mode under a root in train mode is let pass.

    Why it matters: dropout makes an evaluation random and worse, and a batch-norm in train mode normalises by the
    batch and learns from the validation data; in eval mode neither regularises the training. Source: PyTorch's
    documentation (Autograd mechanics, "Evaluation Mode"; torch.nn.Module.train) and forum.
    """

    name: ClassVar[str] = "TrainEvalMode"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        facts, mode = trial.facts(step), trial.mode(step).name
        evaluates = (mode in ("EVAL", "PREDICT") or facts.grad_enabled is False) and not facts.backward
        left = _left_in_training(facts) if evaluates else ""
        if left:
            yield self._finding(
                trial,
                step,
                f"{left} in train mode while the model is evaluated.",
                "Dropout makes the evaluation random and worse; batch-norm normalises by the batch and learns from it.",
                "model.eval()  # before the evaluation, and model.train() before training goes on",
                facts,
            )
        records = list(islice(alike(trial, step), 2))
        off = len(records) == 2 and all(_all_off(trial.facts(record.step)) for record in records)
        if off and not evaluates and trains(trial, step):
            yield self._finding(
                trial,
                step,
                f"The model is trained in eval mode: none of its {facts.dropouts} dropout and {facts.norms} "
                f"batch-norm modules is in train mode.{_since(trial, step)}",
                "Dropout does not regularise and batch-norm keeps its old statistics, so the model learns another "
                "function than it should.",
                "model.train()  # at the start of every epoch, after the evaluation's model.eval()",
                facts,
            )

    def unable(self, trial: Trial) -> str:
        known = [trial.facts(step) for step in trial.steps()]
        if not any(facts.training is not None for facts in known):
            return "the model's flags are not known; register it: hook.register_module(model)"
        return ""

    def _finding(self, trial: Trial, step: int, message: str, why: str, change: str, facts: Facts) -> Finding:
        return Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            message=message,
            why=why,
            change=change,
            numbers={
                "dropouts": float(facts.dropouts),
                "dropouts_training": float(facts.dropouts_training),
                "norms": float(facts.norms),
                "norms_training": float(facts.norms_training),
            },
        )


def _left_in_training(facts: Facts) -> str:
    """Which modules are in train mode that should not be, in words; "" for none."""
    dropouts = facts.dropouts_training if facts.training is not False else 0
    parts = [
        f"{count} of {all_} {word}"
        for count, all_, word in (
            (dropouts, facts.dropouts, "dropout modules"),
            (facts.norms_training, facts.norms, "batch-norm modules"),
        )
        if count
    ]
    return f"{' and '.join(parts)} {'is' if dropouts + facts.norms_training == 1 else 'are'}" if parts else ""


def _all_off(facts: Facts) -> bool:
    modules, on = facts.dropouts + facts.norms, facts.dropouts_training + facts.norms_training
    return bool(facts.backward) and facts.training is False and modules > 0 and on == 0


def _since(trial: Trial, step: int) -> str:
    once = any(trial.facts(record.step).training for record in islice(alike(trial, step), 200))
    return " It was in train mode before: after an evaluation it stayed in eval mode." if once else ""
