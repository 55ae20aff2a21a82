"""Gradients that have become too small to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import Statistics, statistics
from sagehound.debug.rules.place import place
from sagehound.debug.rules.selection import of_bias, saved_kinds, trains, untrained
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial


@dataclass(frozen=True)
class VanishingGradient:
    """The mean of a gradient's absolute values is below `threshold`.

    Formula: mean(|g|) < threshold, for each gradient of a training step. A bias is judged only where no gradient of its
    layer's weight was saved: before a normalisation, and as a key's bias in attention, a bias has no gradient by
    construction. Of an embedding the elements that are not zero count, because the rows of absent tokens have no
    gradient. Before the first update a gradient that is exactly zero is let pass: a head or a residual branch that
    starts at zero (Goyal et al. 2017, Accurate, Large Minibatch SGD) makes it so once.

    Why it matters: layers with such gradients stay as they were initialised (Hochreiter 1991; Bengio et al. 1994,
    Learning long-term dependencies with gradient descent is difficult; Glorot and Bengio 2010). Parameter and default
    are those of AWS's guide.
    """

    threshold: float = 1e-7

    name: ClassVar[str] = "VanishingGradient"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        if not trains(trial, step):
            return
        gradients = [info for info in trial.infos(step) if info.kind == "gradient"]
        weights = {info.module for info in gradients if not of_bias(info)}
        for info in gradients:
            if of_bias(info) and info.module in weights:
                continue
            found = statistics(trial, info.name, step)
            size = _size(info, found)
            if size is not None and size < self.threshold and not (size == 0 and untrained(trial, step)):
                yield self._finding(trial, step, info, size)

    def unable(self, trial: Trial) -> str:
        if "gradient" not in saved_kinds(trial):
            return "no gradients were saved; add CollectionConfig(name='gradients')"
        for step in trial.steps():
            for info in trial.infos(step):
                if info.kind == "gradient" and _size(info, statistics(trial, info.name, step)) is not None:
                    return ""
        return (
            "the gradients were saved as reductions that do not tell their size; save them as values or with "
            "ReductionConfig(abs_reductions=['mean'])"
        )

    def _finding(self, trial: Trial, step: int, info: TensorInfo, size: float) -> Finding:
        return Finding(
            rule=self.name,
            **place(trial, step, info),
            message=f"The gradient of {info.name.removeprefix('gradient/')} averages {size:.3g} in absolute value, "
            f"less than {self.threshold:.3g}.",
            why="Weights with next to no gradient stay as they were initialised, so the layer does not learn.",
            change="nn.ReLU() in place of Sigmoid or Tanh, nn.BatchNorm2d or nn.LayerNorm between layers, "
            "a shortcut around them, or nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')",
            numbers={"abs_mean": size, "threshold": self.threshold},
        )


def _size(info: TensorInfo, found: Statistics) -> float | None:
    if info.module_type in ("Embedding", "EmbeddingBag") and found.abs_mean is not None and found.zeros:
        some = found.count - found.zeros
        return found.abs_mean * found.count / some if some else 0.0
    return found.abs_mean
