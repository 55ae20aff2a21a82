"""Tensors whose variance is outside the bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import statistics
from sagehound.debug.rules.place import place
from sagehound.debug.rules.selection import chosen, chosen_at_some_step
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial
from sagehound.errors import InvalidInput


@dataclass(frozen=True)
class TensorVariance:
    """The variance of a tensor is above `max_threshold` or below `min_threshold`.

    Formula: mean((t - mean(t)) ** 2), the population's, for each tensor of two or more elements in `collection_names`
    or matching `tensor_regex`; for every saved tensor where neither is given. Neither threshold has a default: without
    one there is nothing to judge. A variance that is not finite is ExplodingTensor's affair.

    Why it matters: a very large variance saturates activations and announces values beyond the type, a very small one
    leaves units alike (Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural
    networks). Parameters and defaults are those of AWS's guide.
    """

    collection_names: tuple[str, ...] = ()
    tensor_regex: tuple[str, ...] = ()
    max_threshold: float | None = None
    min_threshold: float | None = None

    name: ClassVar[str] = "TensorVariance"
    same_in_all_modes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        low, high = self.min_threshold, self.max_threshold
        if low is not None and high is not None and low > high:
            raise InvalidInput(f"TensorVariance: min_threshold {low:g} is above max_threshold {high:g}; swap them")

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        if self.min_threshold is None and self.max_threshold is None:
            return
        for info in self._looked_at(trial, step):
            found = statistics(trial, info.name, step)
            if found.count < 2 or found.variance is None or not math.isfinite(found.variance):
                continue
            if self.max_threshold is not None and found.variance > self.max_threshold:
                yield self._finding(trial, step, info, found.variance, "more", self.max_threshold)
            if self.min_threshold is not None and found.variance < self.min_threshold:
                yield self._finding(trial, step, info, found.variance, "less", self.min_threshold)

    def unable(self, trial: Trial) -> str:
        if self.min_threshold is None and self.max_threshold is None:
            return "no bounds were given; set min_threshold, max_threshold or both in rule_parameters"
        if self.collection_names or self.tensor_regex:
            return chosen_at_some_step(trial, self.collection_names, self.tensor_regex)
        return "" if trial.tensor_names() else "no tensors were saved; add a CollectionConfig"

    def _looked_at(self, trial: Trial, step: int) -> list[TensorInfo]:
        if self.collection_names or self.tensor_regex:
            return chosen(trial, step, self.collection_names, self.tensor_regex)
        return trial.infos(step)

    def _finding(
        self, trial: Trial, step: int, info: TensorInfo, variance: float, side: str, threshold: float
    ) -> Finding:
        return Finding(
            rule=self.name,
            **place(trial, step, info),
            message=f"The variance of {info.name} is {variance:.4g}, {side} than {threshold:.4g}.",
            why="A large variance saturates activations and grows on; a small one leaves units alike."
            if side == "more"
            else "A small variance leaves units alike, so that they all learn the same.",
            change="nn.init.kaiming_normal_(layer.weight), nn.BatchNorm2d or nn.LayerNorm before the layer, "
            "or weight_decay in the optimizer",
            numbers={"variance": variance, "max_threshold" if side == "more" else "min_threshold": threshold},
        )
