"""Loss and accuracy of a classifier over a set of photos, and the lines that metric regexes read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`loss` is the mean cross entropy in nats; `confusion[i][j]` counts photos of class i taken for class j."""

    loss: float
    correct: int
    photos: int
    confusion: list[list[int]]

    @property
    def accuracy(self) -> float:
        return self.correct / self.photos

    def line(self, name: str) -> str:
        """The course's log line.

        >>> Evaluation(0.31, 9, 10, [[5, 0], [1, 4]]).line("Test set")
        'Test set: Average loss: 0.3100, Accuracy: 9/10 (90.00%)'
        """
        share = f"{self.correct}/{self.photos} ({100 * self.accuracy:.2f}%)"
        return f"{name}: Average loss: {self.loss:.4f}, Accuracy: {share}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "loss": self.loss,
            "accuracy": self.accuracy,
            "correct": self.correct,
            "photos": self.photos,
            "confusion": self.confusion,
        }


def evaluate(logits: Tensor, labels: Tensor) -> Evaluation:
    """Compare logits (n, classes) with labels (n)."""
    classes = logits.shape[1]
    predicted = logits.argmax(1)
    confusion = torch.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    # Not the function cross_entropy: a debugger would take it for a loss of the training.
    likelihood = logits.double().log_softmax(1).gather(1, labels[:, None])
    return Evaluation(
        float(-likelihood.mean()),
        int((predicted == labels).sum()),
        len(labels),
        confusion.tolist(),
    )
