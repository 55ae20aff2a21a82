"""Updates that are too large or too small beside the weights."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import chunks, read, statistics
from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.place import place
from sagehound.debug.rules.selection import parameters_left_alone, saved_kinds, trains, updated_between
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial
from sagehound.errors import InvalidInput


@dataclass(frozen=True)
class WeightUpdateRatio:
    """The update of a weight between two saved training steps is larger than `large_threshold` times the weight, or
    smaller than `small_threshold` times the weight.

    Formula: ratio = ||w(s) - w(p)||2 / (||w(p)||2 + epsilon). Without `num_steps`, p is the last step before s that
    saved the weight; with it, the first one that is not more than `num_steps` steps before s, counted in the mode of s.
    Left out are: frozen weights and those that no optimizer holds, weights that were all zero at p (they have no size
    to compare with), steps between which no optimizer took a step or its learning rate was 0, where that is known, and
    what is not finite (ExplodingTensor says that).

    Why it matters: about 1e-3 a step is usual (Karpathy, CS231n, "ratio of weights:updates"); far above it weights jump
    over what they look for, far below nothing is learnt. Parameters and defaults are those of AWS's guide, which wants
    weights at a save_interval of num_steps.
    """

    num_steps: int | None = None
    large_threshold: float = 10.0
    small_threshold: float = 1e-8
    epsilon: float = 1e-9

    name: ClassVar[str] = "WeightUpdateRatio"

    def __post_init__(self) -> None:
        if self.num_steps is not None and self.num_steps < 1:
            raise InvalidInput(f"WeightUpdateRatio: num_steps is {self.num_steps}; at least 1 is needed")

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        for info, before in self._compared(trial, step):
            ratio = self._ratio(trial, info.name, before, step)
            if ratio is not None and not self.small_threshold <= ratio <= self.large_threshold:
                yield self._finding(trial, step, before, info, ratio)

    def unable(self, trial: Trial) -> str:
        if "weight" not in saved_kinds(trial):
            return "no weights were saved; add CollectionConfig(name='weights')"
        for step in reversed(trial.steps()):
            for info, before in self._compared(trial, step):
                if self._ratio(trial, info.name, before, step) is not None:
                    return ""
        within = f" not more than num_steps {self.num_steps} apart" if self.num_steps else ""
        return (
            f"no weight that is trained was saved, as values, at two training steps{within}; "
            "set train.save_interval of the collection 'weights'"
        )

    def _compared(self, trial: Trial, step: int) -> Iterator[tuple[TensorInfo, int]]:
        """The weights of a step, and the earlier step that each one is compared with."""
        if not trains(trial, step):
            return
        left_alone = parameters_left_alone(trial)
        for info in trial.infos(step):
            if info.kind == "weight" and info.saved == "array" and info.name not in left_alone:
                before = self._before(trial, info.name, step)
                if before is not None and updated_between(trial, before, step):
                    yield info, before

    def _before(self, trial: Trial, name: str, step: int) -> int | None:
        record = trial.saved.first(step)
        if record is None:
            return None
        mode, own = ModeKeys[record.mode], record.mode_step
        look_back = 2 if self.num_steps is None else self.num_steps + 1
        steps = [each for each in trial.tensor(name).prev_steps(own, look_back, mode) if each < own]
        if self.num_steps is not None:
            steps = steps[bisect_left(steps, own - self.num_steps) :][:1]
        return trial.saved.global_step(steps[-1], mode) if steps else None

    def _ratio(self, trial: Trial, name: str, before: int, step: int) -> float | None:
        size = statistics(trial, name, before).l2
        old, new = read(trial, name, before), read(trial, name, step)
        if not size or old is None or new is None or old.shape != new.shape:
            return None
        ratio = _distance(new, old) / (size + self.epsilon)
        return ratio if math.isfinite(ratio) else None

    def _finding(self, trial: Trial, step: int, before: int, info: TensorInfo, ratio: float) -> Finding:
        large = ratio > self.large_threshold
        limit = self.large_threshold if large else self.small_threshold
        return Finding(
            rule=self.name,
            **place(trial, step, info),
            message=f"{info.name} changed by {ratio:.3g} times its size since step {trial.mode_step(before)}; "
            f"the limit is {'at most' if large else 'at least'} {limit:.3g}.",
            why="Updates larger than the weights jump over what they look for."
            if large
            else "Updates this small leave the layer as it was initialised.",
            change="a learning rate ten times lower, e.g. torch.optim.AdamW(model.parameters(), lr=1e-4), or a warm-up"
            if large
            else "a learning rate ten times higher; optimizer.step() after loss.backward(), and the layer not detached",
            numbers={"ratio": ratio, "large_threshold" if large else "small_threshold": limit},
        )


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """The root of the sum of squared differences."""
    with np.errstate(over="ignore", invalid="ignore"):
        pairs = zip(chunks(one.reshape(-1)), chunks(other.reshape(-1)), strict=True)
        differences = (a - b for a, b in pairs)
        return float(np.sqrt(sum(float(np.dot(each, each)) for each in differences)))
