"""Classes that are taken for each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.rules.absence import never_evaluated, without_classes
from sagehound.debug.rules.class_samples import labels_of, many_a_sample, of_steps, predictions_of, whole
from sagehound.debug.rules.gathered import gathered
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial

#: Samples a class that a row of the matrix is made of: with fewer, its shares are chance.
_SAMPLES_A_CLASS = 50


@dataclass(frozen=True)
class Confusion:
    """A class is right in less than `min_diag` of its samples, or taken for another in more than `max_off_diag`.

    Formula: confusion[i][j] counts the samples of class i that were predicted to be j. The rule fires when for some
    class confusion[i][i] / sum_j confusion[i][j] < min_diag, or for some i != j confusion[i][j] / sum_j confusion[i][j]
    > max_off_diag. (The guide's formula divides the diagonal by the sum of the diagonal, so that at most one class
    could ever reach 0.9; the share within the class is what it describes.) The matrix is made of the last 50 samples a
    class, and rows of fewer than 10 samples are not judged. Of what a loss was given, only evaluations are judged: in
    training every classifier begins with all classes confused. Labels by pixel or by token are not judged.

    Labels and predictions are the collections `labels_collection` and `predictions_collection`, the tensors named
    `labels` and `predictions`, or what a loss was given. `category_no` is the predictions' width unless given.

    Why it matters: accuracy over all classes hides which are confused. At the defaults, those of AWS's guide, every
    classifier below 90 % in some class fires, which includes all at the start of their training.
    """

    category_no: int | None = None
    labels: str = "labels"
    predictions: str = "predictions"
    labels_collection: str = "labels"
    predictions_collection: str = "predictions"
    min_diag: float = 0.9
    max_off_diag: float = 0.1

    name: ClassVar[str] = "Confusion"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        labels, predictions = self._tensors(trial, step)
        if labels is None or predictions is None or many_a_sample(trial, step, labels):
            return
        if labels.kind == "loss_input" and trains(trial, step):
            return
        number = self.category_no or _width(trial, step, labels, predictions)
        wanted = _SAMPLES_A_CLASS * number
        truth, guess = of_steps(trial, gathered(trial, step, labels.name, wanted), labels, predictions)
        if len(truth) < wanted or len(guess) != len(truth) or not whole(truth) or not whole(guess):
            return
        yield from self._judge(trial, step, predictions, _matrix(truth, guess, number))

    def unable(self, trial: Trial) -> str:
        found = [(step, labels) for step in trial.steps() if (labels := self._tensors(trial, step)[0]) is not None]
        if any(labels.kind != "loss_input" or not trains(trial, step) for step, labels in found):
            return ""
        if without_classes(trial) or (found and never_evaluated(trial)):
            return ""
        if found:
            return (
                "only steps that train saved labels and predictions; call hook.set_mode(modes.EVAL) in the evaluation"
            )
        return (
            "labels and predictions were not saved together; add CollectionConfig(name='labels', parameters="
            "{'include_regex': 'Loss_input'}), which has both for a loss that the hook knows"
        )

    def _tensors(self, trial: Trial, step: int) -> tuple[TensorInfo | None, TensorInfo | None]:
        found = (
            labels_of(trial, step, [f"^{self.labels}(_output_0)?$"], self.labels_collection),
            predictions_of(trial, step, [f"^{self.predictions}(_output_0)?$"], self.predictions_collection),
        )
        return found if all(each is not None and each.saved != "nothing" for each in found) else (None, None)

    def _judge(self, trial: Trial, step: int, predictions: TensorInfo, matrix: np.ndarray) -> Iterator[Finding]:
        counts = matrix.sum(axis=1)
        rows = matrix / np.maximum(counts, 1)[:, None]
        right = np.where(counts >= 10, np.diag(rows), 1.0)
        others = np.where((counts >= 10)[:, None], rows - np.diag(np.diag(rows)), 0.0)
        worst, (label, taken) = int(right.argmin()), np.unravel_index(others.argmax(), others.shape)
        if right[worst] >= self.min_diag and others.max() <= self.max_off_diag:
            return
        yield Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=predictions.name,
            message=f"Class {worst} is right in {right[worst]:.1%} of its samples (asked: {self.min_diag:.1%} or "
            f"more), and class {int(label)} is taken for {int(taken)} in {others.max():.1%} (asked: "
            f"{self.max_off_diag:.1%} or less).",
            why="Accuracy over all classes hides the ones that are confused.",
            change="look at samples of these classes and their labels; more of them, "
            "nn.CrossEntropyLoss(weight=...), or longer training",
            numbers={
                "diagonal": float(right[worst]),
                "min_diag": self.min_diag,
                "off_diagonal": float(others.max()),
                "max_off_diag": self.max_off_diag,
                "samples": float(counts.sum()),
            },
        )


def _width(trial: Trial, step: int, labels: TensorInfo, predictions: TensorInfo) -> int:
    if len(predictions.shape) == len(labels.shape) + 1:
        return predictions.shape[1]
    return trial.facts(step).classes or 2


def _matrix(truth: np.ndarray, guess: np.ndarray, number: int) -> np.ndarray:
    """How often each class (row) was predicted to be each (column); labels beyond `number` are left out."""
    known = (truth < number) & (guess < number)
    places = truth[known].astype(np.int64) * number + guess[known].astype(np.int64)
    return np.bincount(places, minlength=number * number).reshape(number, number)
