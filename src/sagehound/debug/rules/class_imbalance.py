"""Classes of which there are far fewer samples than of others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.rules.absence import without_classes
from sagehound.debug.rules.class_samples import labels_of, many_a_sample, of_steps, predictions_of, whole
from sagehound.debug.rules.gathered import gathered
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial

#: The guide's 500 samples are for 10 classes: so many a class are needed for a count to tell.
_SAMPLES_A_CLASS = 50
#: A class with less than this share of the average class's samples is underrepresented.
_UNDERREPRESENTED = 0.5
#: Mispredictions of a class are counted from this many samples on.
_FEWEST = 10


@dataclass(frozen=True)
class ClassImbalance:
    """The largest class has more than `threshold_imbalance` times the samples of the smallest, or more than
    `threshold_misprediction` of an underrepresented class is mispredicted.

    Formula: over the labels of the last `samples` samples of training, counts max / min > threshold_imbalance, over the
    classes that occur; judged only with 50 samples a class or more, since the guide's 500 are for 10 classes. And: for
    a class with less than half the average count (and 10 samples or more), wrong / count > threshold_misprediction,
    where the largest class stays below it; a model that has learned nothing yet is wrong everywhere, which is no
    matter of balance. `argmax` is found out from the shapes. Labels and predictions are what a loss was given, unless
    a name is given for them. Labels by pixel or by token are not judged where that shows (more labels than samples).

    Why it matters: a network trained like this is right on the large class and wrong on the small ones, and accuracy
    hides it (Buda et al. 2018, A systematic study of the class imbalance problem in convolutional neural networks).
    Parameters and defaults are those of AWS's guide.
    """

    threshold_imbalance: float = 10.0
    threshold_misprediction: float = 0.7
    samples: int = 500
    argmax: bool = False
    labels_regex: tuple[str, ...] = (".*labels",)
    predictions_regex: tuple[str, ...] = (".*predictions",)

    name: ClassVar[str] = "ClassImbalance"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        labels = labels_of(trial, step, self.labels_regex) if trains(trial, step) else None
        if labels is None or labels.saved == "nothing" or many_a_sample(trial, step, labels):
            return
        predictions = predictions_of(trial, step, self.predictions_regex)
        wanted = max(self.samples, _SAMPLES_A_CLASS * _classes(trial, step, labels, predictions))
        truth, guess = of_steps(trial, gathered(trial, step, labels.name, wanted), labels, predictions)
        if len(truth) < wanted or not whole(truth):
            return
        found, counts = np.unique(truth, return_counts=True)
        if len(found) > 1:
            yield from self._imbalance(trial, step, labels, found, counts)
        if predictions is not None and len(guess) == len(truth) and len(found) > 1:
            yield from self._mispredictions(trial, step, predictions, truth, guess)

    def unable(self, trial: Trial) -> str:
        if without_classes(trial) or any(labels_of(trial, step, self.labels_regex) for step in trial.steps()):
            return ""
        return (
            "no labels were saved; add CollectionConfig(name='labels', parameters={'include_regex': 'Loss_input'}), or "
            "hook.save_tensor('labels', labels, collections_to_write='labels')"
        )

    def _imbalance(
        self, trial: Trial, step: int, labels: TensorInfo, found: np.ndarray, counts: np.ndarray
    ) -> Iterator[Finding]:
        ratio = float(counts.max() / counts.min())
        if ratio <= self.threshold_imbalance:
            return
        most, least = int(found[counts.argmax()]), int(found[counts.argmin()])
        yield Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=labels.name,
            message=f"Class {most} has {counts.max()} of the last {counts.sum()} samples, class {least} has "
            f"{counts.min()}: {ratio:.3g} times as many, more than {self.threshold_imbalance:g}.",
            why="A model gains most by being right on the large class, and is wrong on the small one.",
            change="nn.CrossEntropyLoss(weight=1 / counts), or DataLoader(sampler=WeightedRandomSampler(weights, n))",
            numbers={"ratio": ratio, "threshold_imbalance": self.threshold_imbalance, "samples": float(counts.sum())},
        )

    def _mispredictions(
        self, trial: Trial, step: int, predictions: TensorInfo, truth: np.ndarray, guess: np.ndarray
    ) -> Iterator[Finding]:
        found, counts = np.unique(truth, return_counts=True)
        wrong = np.array([float(np.mean(guess[truth == each] != each)) for each in found])
        small = (counts < _UNDERREPRESENTED * counts.mean()) & (counts >= _FEWEST)
        worst = [place for place in np.flatnonzero(small) if wrong[place] > self.threshold_misprediction]
        if not worst or wrong[counts.argmax()] > self.threshold_misprediction:
            return
        place = max(worst, key=lambda each: float(wrong[each]))
        yield Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=predictions.name,
            message=f"{wrong[place]:.0%} of class {int(found[place])} ({counts[place]} of {counts.sum()} samples) are "
            f"predicted wrong, more than {self.threshold_misprediction:.0%}; of the largest class "
            f"{wrong[counts.argmax()]:.0%} are.",
            why="The model neglects a class that it sees too little of; accuracy over all samples hides it.",
            change="nn.CrossEntropyLoss(weight=1 / counts), or DataLoader(sampler=WeightedRandomSampler(weights, n))",
            numbers={"misprediction": float(wrong[place]), "threshold_misprediction": self.threshold_misprediction},
        )


def _classes(trial: Trial, step: int, labels: TensorInfo, predictions: TensorInfo | None) -> int:
    if predictions is not None and len(predictions.shape) == len(labels.shape) + 1:
        return predictions.shape[1]
    return trial.facts(step).classes or 2
