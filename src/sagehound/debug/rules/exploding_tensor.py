"""Tensors with NaN or infinity."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import Statistics, statistics
from sagehound.debug.rules.place import place
from sagehound.debug.rules.selection import chosen, chosen_at_some_step
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial


@dataclass(frozen=True)
class ExplodingTensor:
    """A tensor has elements that are NaN or, unless `only_nan`, infinite.

    Formula: count(isnan(t)) > 0, or count(isinf(t)) > 0 and not only_nan, for each tensor in `collection_names` or
    matching `tensor_regex`; for every saved tensor where neither is given. In that case negative infinity in a module's
    input is let pass, because attention masks are made of it. Of a tensor saved as reductions one that is not finite
    tells the same; with `only_nan` its min or max must be NaN.

    Why it matters: such a value spreads through the next forward to every weight it meets, and no later step brings
    them back (Pascanu et al. 2013, On the difficulty of training recurrent neural networks). Parameters and defaults
    are those of AWS's guide. Training with a GradScaler meets infinite gradients in its first steps on purpose, and
    skips them.
    """

    collection_names: tuple[str, ...] = ()
    tensor_regex: tuple[str, ...] = ()
    only_nan: bool = False

    name: ClassVar[str] = "ExplodingTensor"
    same_in_all_modes: ClassVar[bool] = True

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        every = not self.collection_names and not self.tensor_regex
        for info in trial.infos(step) if every else chosen(trial, step, self.collection_names, self.tensor_regex):
            found = statistics(trial, info.name, step)
            if not self._exploded(found) or (every and info.kind == "input" and _masks(found)):
                continue
            yield self._finding(trial, step, info, found)

    def unable(self, trial: Trial) -> str:
        every = not self.collection_names and not self.tensor_regex
        if every:
            return "" if trial.tensor_names() else "no tensors were saved; add a CollectionConfig"
        return chosen_at_some_step(trial, self.collection_names, self.tensor_regex)

    def _exploded(self, found: Statistics) -> bool:
        if found.finite is not False:
            return False
        if not self.only_nan:
            return True
        return any(value is not None and math.isnan(value) for value in (found.min, found.max))

    def _finding(self, trial: Trial, step: int, info: TensorInfo, found: Statistics) -> Finding:
        numbers: dict[str, float | str] = {"count": found.count}
        if found.nan is None or found.inf is None:
            what = "has reductions that are not finite"
        else:
            what = f"has {found.nan:,} NaN and {found.inf:,} infinite among {found.count:,} elements"
            numbers |= {"nan": found.nan, "inf": found.inf}
        return Finding(
            rule=self.name,
            **place(trial, step, info),
            message=f"{info.name} {what}; allowed are none.",
            why="A value that is not finite spreads to every weight it meets, and the training does not recover.",
            change="torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) before optimizer.step(), a lower lr, and "
            "eps in divisions, logarithms and roots; torch.autograd.set_detect_anomaly(True) names the operation",
            numbers=numbers,
        )


def _masks(found: Statistics) -> bool:
    return found.nan == 0 and found.min == -math.inf and found.max is not None and found.max < math.inf
