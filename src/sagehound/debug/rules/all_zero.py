"""Tensors made of zeros."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import statistics
from sagehound.debug.rules.place import place
from sagehound.debug.rules.selection import (
    chosen,
    chosen_at_some_step,
    of_bias,
    parameters_left_alone,
    saved_kinds,
    trains,
    untrained,
)
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial


@dataclass(frozen=True)
class AllZero:
    """At least `threshold` percent of a tensor's elements are zero.

    Formula: 100 * count(t == 0) / count(t) >= threshold, for each tensor in `collection_names` or matching
    `tensor_regex`. The guide asks for one of the two. Where neither is given, the weights that are trained and the
    gradients of weights are judged, in training, after the first update: before it zeros may be how a head or a
    residual branch was initialised.

    Why it matters: a layer of zeros passes nothing on, forward or backward, and all its units stay alike (Goodfellow et
    al. 2016, Deep Learning, 8.4). Parameters and defaults are those of AWS's guide.
    """

    collection_names: tuple[str, ...] = ()
    tensor_regex: tuple[str, ...] = ()
    threshold: float = 100.0

    name: ClassVar[str] = "AllZero"
    same_in_all_modes: ClassVar[bool] = True

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        for info in self._looked_at(trial, step):
            found = statistics(trial, info.name, step)
            if not found.count or found.zeros is None:
                continue
            share = 100 * found.zeros / found.count
            if share >= self.threshold:
                yield self._finding(trial, step, info, share)

    def unable(self, trial: Trial) -> str:
        if self.collection_names or self.tensor_regex:
            return chosen_at_some_step(trial, self.collection_names, self.tensor_regex)
        if saved_kinds(trial) & {"weight", "gradient"}:
            return ""
        return (
            "no weights or gradients were saved, and neither collection_names nor tensor_regex says what else to judge"
        )

    def _looked_at(self, trial: Trial, step: int) -> list[TensorInfo]:
        if self.collection_names or self.tensor_regex:
            return chosen(trial, step, self.collection_names, self.tensor_regex)
        if not trains(trial, step) or untrained(trial, step):
            return []
        left_alone = parameters_left_alone(trial)
        return [
            info
            for info in trial.infos(step)
            if (info.kind == "weight" or (info.kind == "gradient" and not of_bias(info)))
            and info.name.removeprefix("gradient/") not in left_alone
        ]

    def _finding(self, trial: Trial, step: int, info: TensorInfo, share: float) -> Finding:
        return Finding(
            rule=self.name,
            **place(trial, step, info),
            message=f"{share:.4g} % of {info.name} is zero; the limit is {self.threshold:.4g} %.",
            why="A layer of zeros passes nothing on, forward or backward, and its units stay alike.",
            change="nn.init.kaiming_normal_(layer.weight) for a weight; for a gradient, look for detach(), "
            "torch.no_grad() or a dead activation between the layer and the loss",
            numbers={"zero_percent": share, "threshold": self.threshold},
        )
