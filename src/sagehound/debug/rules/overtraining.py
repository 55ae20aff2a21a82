"""A training that goes on after its best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.rules.history import losses, no_modes
from sagehound.debug.rules.loss_curve import Stretch, evaluated
from sagehound.debug.store.records import written
from sagehound.debug.trial import Trial


@dataclass(frozen=True)
class Overtraining:
    """Neither loss gets better any more.

    Formula: a mean loss is a new best when it is lower than the best before by more than `delta`. The rule fires at the
    end of an evaluation when the last `patience_validation` evaluations brought no new best; or when the last
    `patience_train` of them did not, and the training loss had none in as many stretches of training between
    evaluations either. Values are means of whole evaluations and stretches: the losses of single batches go up and
    down, and within an evaluation the model does not change. The last 1,000 of each are looked at.

    Why it matters: from here on training costs time and, often, accuracy (Prechelt 1998, Early stopping - but when?).
    Parameters and defaults are those of AWS's guide; `delta` is absolute, so a loss of a very small scale wants a
    smaller one.
    """

    patience_train: int = 5
    patience_validation: int = 10
    delta: float = 0.01
    tensor_regex: tuple[str, ...] = ()

    name: ClassVar[str] = "Overtraining"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        for loss in losses(trial, step, self.tensor_regex):
            found = evaluated(trial, step, loss)
            validation = [each for each in found if each.mode == "EVAL"]
            training = [each for each in found if each.mode == "TRAIN"]
            if self._over(_means(training), _means(validation)):
                yield self._finding(trial, validation[-1].last_step, loss, _means(validation))

    def unable(self, trial: Trial) -> str:
        return no_modes(trial, self.tensor_regex)

    def _over(self, training: Sequence[float], validation: Sequence[float]) -> bool:
        waited = stalled(validation, self.delta)
        if waited >= self.patience_validation:
            return True
        return waited >= self.patience_train and stalled(training, self.delta) >= self.patience_train

    def _finding(self, trial: Trial, step: int, loss: str, validation: Sequence[float]) -> Finding:
        waited, best = stalled(validation, self.delta), min(validation)
        return Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode="EVAL",
            tensor=loss,
            message=f"{loss} has not improved by more than {self.delta:g} for {waited} evaluations: "
            f"{validation[-1]:.4g} now, {best:.4g} at best.",
            why="Training past the best validation loss costs time and often accuracy on new data.",
            change="keep the best: torch.save(model.state_dict(), path) when the validation loss is a new low, and "
            "stop after some evaluations without one; or fewer epochs, or a learning rate that decays",
            numbers={
                "evaluations": waited,
                "validation": written(validation[-1]),
                "best": written(best),
                "delta": self.delta,
                "patience_train": self.patience_train,
                "patience_validation": self.patience_validation,
            },
        )


def _means(stretches: Sequence[Stretch]) -> list[float]:
    return [each.mean for each in stretches]


def stalled(values: Sequence[float], delta: float) -> int:
    """How many values there are since the last new best.

    >>> stalled([3.0, 2.0, 1.995, 2.5], delta=0.01)
    2
    """
    best, since = float("inf"), 0
    for value in values:
        since += 1
        if value < best - delta:
            best, since = value, 0
    return since
