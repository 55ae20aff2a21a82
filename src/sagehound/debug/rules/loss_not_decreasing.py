"""A loss that does not fall."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.history import any_loss, losses
from sagehound.debug.rules.loss_curve import course, evaluated, first_values
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import written
from sagehound.debug.trial import Trial

#: Blocks of `num_steps` that a trend is fitted over, and how many it takes at least.
_BLOCKS, _FEWEST_BLOCKS = 20, 5
#: A block has at least so many saved losses: one batch's loss tells more of the batch than of the model.
_VALUES = 3
#: A loss that fell to this share of where it began has been decreasing; that it levels out is no fault.
_LEARNED = 0.5
#: And at this share it has nowhere to go.
_CONVERGED = 0.01
#: Standard errors that a change must exceed to be one.
_ERRORS = 3.0


@dataclass(frozen=True)
class LossNotDecreasing:
    """A loss falls by less than `diff_percent` in `num_steps` steps, or rises by more than
    `increase_threshold_percent`.

    Formula, at a training step s, with n = `num_steps` counted in steps (saved or not): "now" is the mean of the losses
    saved in (s - n, s], "before" the mean of those in (s - 2n, s - n], each of at least 3 saved losses where the
    interval is longer than n. With fall = 100 (before - now) / |before| the rule fires when

    - the loss is flat: fall < diff_percent, and the losses of both blocks scatter by less than that as well;
    - it rises: fall < -increase_threshold_percent, by more than 3 standard errors of the two means, and against the
      mean of the 19 blocks before as well;
    - it is noisy and has no trend: a line fitted through the last 5 to 20 blocks falls by less than diff_percent a
      block.

    The last two are for a loss that is still above half of its first block: where most of the way is gone, a minimum
    is the likelier reason. A flat one is let pass below a hundredth. The guide
    compares two single losses, which for mini-batches is a throw of dice; means over blocks, their errors and the
    fitted line are this rule's own. In an evaluation the model does not change, so with mode EVAL whole evaluations
    are compared: the last mean with that of the evaluation at least n of its steps before.

    `mode`: GLOBAL judges the steps that train. Why it matters: a loss that stays where it began means that nothing is
    learned (learning rate, gradients, labels, data). Parameters and defaults are those of AWS's guide.
    """

    tensor_regex: tuple[str, ...] = ()
    collection_names: tuple[str, ...] = ()
    use_losses_collection: bool = True
    num_steps: int = 10
    diff_percent: float = 0.1
    increase_threshold_percent: float = 5.0
    mode: str = "GLOBAL"

    name: ClassVar[str] = "LossNotDecreasing"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        wanted = self.mode.rpartition(".")[2].upper()
        if wanted == "EVAL":
            for loss in self._losses(trial, step):
                yield from self._of_evaluations(trial, step, loss)
        elif trains(trial, step) and wanted in ("GLOBAL", trial.mode(step).name):
            for loss in self._losses(trial, step):
                yield from self._of_training(trial, step, loss)

    def unable(self, trial: Trial) -> str:
        wanted = self.mode.rpartition(".")[2].upper()
        if wanted not in ModeKeys.__members__:
            return f"there is no mode {self.mode!r}; allowed are {', '.join(ModeKeys.__members__)}"
        if not any(self._losses(trial, step) for step in trial.steps()):
            return "no losses were saved; add CollectionConfig(name='losses') and register the loss with the hook"
        if wanted != "GLOBAL" and not any_loss(trial, ModeKeys[wanted], self.tensor_regex):
            return f"no losses were saved in mode {wanted}; call hook.set_mode(modes.{wanted}) before that part"
        return ""

    def _losses(self, trial: Trial, step: int) -> list[str]:
        found = losses(trial, step, self.tensor_regex, self.use_losses_collection)
        in_collections = [i.name for i in trial.infos(step) if set(i.collections) & set(self.collection_names)]
        return [*found, *(name for name in in_collections if name not in found)]

    def _of_training(self, trial: Trial, step: int, loss: str) -> Iterator[Finding]:
        points = course(trial, step, loss, most=_BLOCKS * max(self.num_steps, _VALUES))
        steps, values = points.mode_steps, points.values
        if len(values) < _VALUES + 1 or not np.isfinite(values).all() or steps[-1] < self.num_steps:
            return
        split = _block(steps, len(steps), self.num_steps)
        start = _block(steps, split, self.num_steps) if split else 0
        if split == 0:
            return
        before, now = values[start:split], values[split:]
        began = first_values(trial, step, loss, len(now))
        what = self._judge(before, now, values[:split]) or self._trend(steps, values)
        left = float(np.mean(now) / np.mean(began)) if np.mean(began) > 0 else 1.0
        if what and left >= (_CONVERGED if what == "is flat" else _LEARNED):
            yield self._finding(trial, step, loss, what, float(np.mean(before)), float(np.mean(now)))

    def _judge(self, before: np.ndarray, now: np.ndarray, earlier: np.ndarray) -> str:
        fall = _fall(float(np.mean(before)), float(np.mean(now)))
        both = np.concatenate([before, now])
        spread = _fall(float(np.mean(before)), float(np.mean(before)) - float(both.max() - both.min()))
        if fall < self.diff_percent and spread < self.diff_percent:
            return "is flat"
        residuals = np.concatenate([before - before.mean(), now - now.mean()])
        deviation = math.sqrt(float(np.sum(residuals**2)) / max(1, len(both) - 2))
        error = deviation * math.sqrt(1 / len(before) + 1 / len(now))
        above_all = max(fall, _fall(float(np.mean(earlier)), float(np.mean(now))))
        rises = above_all < -self.increase_threshold_percent and now.mean() - before.mean() > _ERRORS * error
        return "rises" if rises and len(before) >= _VALUES else ""

    def _trend(self, steps: np.ndarray, values: np.ndarray) -> str:
        blocks = (steps[-1] - steps[0] + 1) / self.num_steps
        if blocks < _FEWEST_BLOCKS or len(values) < _FEWEST_BLOCKS * _VALUES:
            return ""
        slope, height = _line(steps - steps[0], values)
        share = _fall(height, height + slope * self.num_steps)
        return "has no downward trend" if share < self.diff_percent else ""

    def _of_evaluations(self, trial: Trial, step: int, loss: str) -> Iterator[Finding]:
        found = [each for each in evaluated(trial, step, loss) if each.mode == "EVAL"]
        passed, place = 0, len(found) - 1
        while place > 0 and passed < self.num_steps:
            passed += len(found[place].values)
            place -= 1
        if len(found) < 2 or passed < self.num_steps:
            return
        before, now = found[place].mean, found[-1].mean
        fall = _fall(before, now)
        if fall < self.diff_percent and (fall >= 0 or -fall > self.increase_threshold_percent):
            at = found[-1].last_step
            yield self._finding(trial, at, loss, "is flat" if fall >= 0 else "rises", before, now)

    def _finding(self, trial: Trial, step: int, loss: str, what: str, before: float, now: float) -> Finding:
        fall = _fall(before, now)
        return Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=loss,
            message=f"{loss} {what}: {before:.4g} before, {now:.4g} now, {self.num_steps} steps on "
            f"({fall:.3g} % less; at least {self.diff_percent:g} % is expected).",
            why="A loss that stays where it is means that the model does not learn, or has learned what it can.",
            change="optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)  # a tenth or ten times the rate; then "
            "look whether gradients reach the layers and labels fit their inputs; if it has converged, stop here",
            numbers={
                "before": written(before),
                "now": written(now),
                "fall_percent": written(fall),
                "diff_percent": self.diff_percent,
            },
        )


def _block(steps: np.ndarray, end: int, length: int) -> int:
    """Where the block begins that ends before the place `end`: `length` steps, or at least 3 values."""
    start = int(np.searchsorted(steps[:end], steps[end - 1] - length, side="right"))
    return max(0, min(start, end - _VALUES))


def _line(steps: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Slope and height of the line of least squares."""
    middle, height = float(np.mean(steps)), float(np.mean(values))
    apart = steps - middle
    slope = float(np.dot(apart, values)) / float(np.dot(apart, apart))
    return slope, height - slope * middle


def _fall(before: float, now: float) -> float:
    if before == now:
        return 0.0
    return 100 * (before - now) / abs(before) if before else math.copysign(math.inf, before - now)
