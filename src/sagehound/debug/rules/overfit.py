"""A model that does better on what it is trained with than on what it is validated with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.rules.history import losses, no_modes
from sagehound.debug.rules.loss_curve import Stretch, evaluated
from sagehound.debug.store.records import written
from sagehound.debug.trial import Trial

#: Saved losses of training that an evaluation is compared with: those just before it.
_TRAINING_VALUES = 100
#: Standard errors that the gap must exceed besides: the losses are those of batches.
_ERRORS = 2.0


@dataclass(frozen=True)
class Overfit:
    """The validation loss lies above the training loss by more than `ratio_threshold`, for `patience` evaluations.

    Formula: (validation - training) / |training| > ratio_threshold, where validation is the mean loss of one
    evaluation (steps of mode EVAL in a row, judged when it is over) and training that of the last 100 saved training
    steps before it; and the gap exceeds two standard errors of these means. It has to hold for the last `patience`
    evaluations. Steps before `start_step` (of the global count) are not looked at. Each loss is compared with the loss
    of the same name.

    Why it matters: what is learned beyond this point is the training data by heart (Goodfellow et al. 2016, Deep
    Learning, 5.2: the gap between training and test error). A gap of a tenth is common with healthy networks late in
    training: at the default this rule is a hint; a higher ratio makes it an alarm. Parameters and defaults are those
    of AWS's guide.
    """

    tensor_regex: tuple[str, ...] = ()
    start_step: int = 0
    patience: int = 1
    ratio_threshold: float = 0.1

    name: ClassVar[str] = "Overfit"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        if step < self.start_step:
            return
        for loss in losses(trial, step, self.tensor_regex):
            pairs = _pairs(evaluated(trial, step, loss))[-max(1, self.patience) :]
            if len(pairs) >= self.patience and all(self._apart(*pair) for pair in pairs):
                yield self._finding(trial, loss, *pairs[-1])

    def unable(self, trial: Trial) -> str:
        return no_modes(trial, self.tensor_regex)

    def _apart(self, training: Stretch, validation: Stretch) -> bool:
        gap = validation.mean - training.mean
        noise = _ERRORS * (training.error**2 + validation.error**2) ** 0.5
        return gap > self.ratio_threshold * abs(training.mean) and gap > noise

    def _finding(self, trial: Trial, loss: str, training: Stretch, validation: Stretch) -> Finding:
        ratio = (validation.mean - training.mean) / abs(training.mean) if training.mean else float("inf")
        return Finding(
            rule=self.name,
            step=trial.mode_step(validation.last_step),
            mode=validation.mode,
            tensor=loss,
            message=f"{loss} is {validation.mean:.4g} in validation and {training.mean:.4g} in training: "
            f"{ratio:.1%} more, above {self.ratio_threshold:.1%}.",
            why="The model learns its training data by heart; on new data it does worse than its training loss says.",
            change="optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-2), nn.Dropout(0.5) "
            "before the last layer, augmentation, more data, or fewer epochs",
            numbers={
                "validation": written(validation.mean),
                "training": written(training.mean),
                "ratio": written(ratio),
                "ratio_threshold": self.ratio_threshold,
            },
        )


def _pairs(found: list[Stretch]) -> list[tuple[Stretch, Stretch]]:
    """Each evaluation with the training just before it."""
    return [
        (Stretch("TRAIN", before.values[-_TRAINING_VALUES:]), each)
        for before, each in pairwise(found)
        if each.mode == "EVAL"
    ]
