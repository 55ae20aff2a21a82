"""A learning rate that is too high, too low or spent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import read
from sagehound.debug.rules.history import alike, index, losses
from sagehound.debug.rules.loss_curve import course, first_values
from sagehound.debug.rules.selection import parameters_left_alone, saved_kinds, trains
from sagehound.debug.rules.spent_rate import SPENT, SpentRate, spent_rate
from sagehound.debug.store.records import Step
from sagehound.debug.trial import Trial

#: Saved losses that make up the beginning, and the present.
_BEGINNING, _PRESENT = 5, 10
#: Saved steps before a loss that has not fallen tells of the rate.
_FEWEST_HIGH, _FEWEST_LOW = 10, 20
#: Weights that are looked at, spread over the model, and the saved steps at its beginning that are.
_WEIGHTS, _FIRST_STEPS = 8, 6
#: Saved steps back in which the same weight is looked for.
_BACK = 50
#: A fall of the loss by less, or by less than its noise, is none.
_FALL = 0.02
#: How far one batch's loss may lie from the model's.
_NOISE = 1.1


@dataclass(frozen=True)
class LearningRate:
    """The updates are out of proportion to the weights, and the loss does not fall.

    Formula: u = median over weights of |w(t) - w(t - k)| / |w(t - k)| (Euclidean norms; k optimizer steps between two
    saves), judged by step: u / k > `high`, at the saves around this step or the first ones, and the mean of the last 10
    saved losses is not below that of the first 5 (nor 1.1 times the very first): too high. u / sqrt(k) < `low`, and the
    loss has fallen by less than 2 % or than its noise since the beginning, while the rate is not rising (warm-up): too
    low. Both sides are generous: a path is at most k and, where it wanders, about sqrt(k) times as long as a step.
    And, of the rates alone: the rate has been below a thousandth of its highest for more saved training steps than it
    had been above it before (20 or more): it is spent, while the training goes on. Schedules that end near 0, as a
    cosine does, stay there for a few hundredths of their steps.

    Why it matters: the rate is the hyperparameter that matters most (Goodfellow et al. 2016, Deep Learning, 11.4.1).
    Source of the limits: Stanford's CS231n notes (Neural Networks Part 3, ratio of weights to updates) call 1e-3
    healthy; the limits are two orders of magnitude on either side of it, and both ask the loss besides.
    """

    high: float = 1e-1
    low: float = 1e-5
    tensor_regex: tuple[str, ...] = ()

    name: ClassVar[str] = "LearningRate"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        if not trains(trial, step) or index(trial, step) < _FEWEST_HIGH:
            return
        spent = spent_rate(trial, step)
        if spent is not None and spent.since >= _FEWEST_LOW and spent.since > spent.before:
            yield self._spent(trial, step, spent)
            return
        for loss in losses(trial, step, self.tensor_regex)[:1]:
            began = first_values(trial, step, loss, _BEGINNING)
            now = course(trial, step, loss, _PRESENT).values.tolist()
            if len(began) < _BEGINNING or len(now) < _PRESENT:
                continue
            # The first loss is that of no update; where updates overshoot, the next ones are no measure.
            if not np.mean(now) < min(float(np.mean(began)), _NOISE * began[0]):
                yield from self._too_high(trial, step, loss, began, now)
            if index(trial, step) >= _FEWEST_LOW and _flat(began, now) and not _rising(trial, step):
                yield from self._too_low(trial, step, loss, began, now)

    def unable(self, trial: Trial) -> str:
        if any(spent_rate(trial, step) for step in trial.steps()):
            return ""
        kinds = saved_kinds(trial)
        missing = [name for name, kind in (("losses", "loss"), ("weights", "weight")) if kind not in kinds]
        if missing:
            return f"no {' and no '.join(missing)} were saved; add CollectionConfig(name='{missing[0]}')"
        if not any(info.saved == "array" and info.kind == "weight" for s in trial.steps() for info in trial.infos(s)):
            return "the weights were saved as reductions only; save them whole"
        return ""

    def _too_high(
        self, trial: Trial, step: int, loss: str, began: Sequence[float], now: Sequence[float]
    ) -> Iterator[Finding]:
        ratio = max(
            (r for r in (_ratio(trial, at, 1.0) for at in self._places(trial, step)) if r is not None), default=0
        )
        if ratio > self.high:
            yield self._finding(trial, step, loss, "high", ratio, began, now)

    def _too_low(
        self, trial: Trial, step: int, loss: str, began: Sequence[float], now: Sequence[float]
    ) -> Iterator[Finding]:
        ratio = _ratio(trial, step, 0.5)
        if ratio is not None and ratio < self.low:
            yield self._finding(trial, step, loss, "low", ratio, began, now)

    def _spent(self, trial: Trial, step: int, spent: SpentRate) -> Finding:
        return Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            message=f"The learning rate is spent: it has been below {SPENT:g} of its highest, {spent.highest:g}, for "
            f"{spent.since} saved steps, after {spent.before} above it. It is {spent.rate:.2g} now.",
            why="With such a rate the model stays as it is, and the training goes on for nothing.",
            change="scheduler.step()  # once an epoch, not at every batch; or a longer schedule",
            numbers={"rate": spent.rate, "highest": spent.highest, "since": spent.since, "before": spent.before},
        )

    def _places(self, trial: Trial, step: int) -> list[int]:
        """The first saved steps, where a rate shows that is so high that nothing moves later; and this one."""
        mode = trial.mode(step)
        numbers = trial.saved.numbers(mode)[:_FIRST_STEPS]
        first = [trial.saved.global_step(number, mode) for number in numbers]
        return [each for each in first if each is not None and each < step] + [step]

    def _finding(
        self, trial: Trial, step: int, loss: str, what: str, ratio: float, began: Sequence[float], now: Sequence[float]
    ) -> Finding:
        rates = trial.facts(step).learning_rates
        limit = self.high if what == "high" else self.low
        side = "more" if what == "high" else "less"
        rate = f" {rates[0]:g}" if rates else ""
        return Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=loss,
            message=f"The learning rate{rate} is too {what}: an update changes the weights by {ratio:.2g} of their "
            f"size, {side} than {limit:g}, and the loss went from {began[0]:.4g} to {np.mean(now):.4g}.",
            why="Updates that are too large jump over the minimum, too small ones never get there; 1e-3 is healthy.",
            change=f"for group in optimizer.param_groups: group['lr'] {'/' if what == 'high' else '*'}= 10",
            numbers={"update_ratio": ratio, f"{what}_limit": limit, **({"learning_rate": rates[0]} if rates else {})},
        )


def _flat(began: Sequence[float], now: Sequence[float]) -> bool:
    values = [*began, *now]
    if not np.isfinite(values).all():
        return False
    noise = 2 * math.sqrt(np.var(began) / len(began) + np.var(now) / len(now))
    return abs(float(np.mean(began) - np.mean(now))) < max(_FALL * abs(float(np.mean(began))), noise)


def _rising(trial: Trial, step: int) -> bool:
    """Whether the rate still rises, or has decayed to little: then small updates are meant."""
    rates = [
        max(r.facts.learning_rates) for r in islice(alike(trial, step), _BACK) if r.facts and r.facts.learning_rates
    ]
    return len(rates) > 1 and (rates[0] > rates[-1] * 1.001 or rates[0] < 0.1 * max(rates))


def _ratio(trial: Trial, step: int, power: float) -> float | None:
    """The median over weights of the relative change since they were saved before, divided by (steps between)^power."""
    records = list(islice(alike(trial, step), _BACK))
    alone = parameters_left_alone(trial)
    names = [
        info.name
        for info in trial.infos(step)
        if info.kind == "weight" and info.saved == "array" and len(info.shape) > 1 and info.name not in alone
    ]
    stride = max(1, len(names) // _WEIGHTS)
    found = [_change(trial, name, records, power) for name in names[::stride][:_WEIGHTS]]
    known = [each for each in found if each is not None]
    return float(np.median(known)) if known else None


def _change(trial: Trial, name: str, records: Sequence[Step], power: float) -> float | None:
    before = next((r for r in records[1:] if any(info.name == name for info in trial.infos(r.step))), None)
    if before is None:
        return None
    new, old = read(trial, name, records[0].step), read(trial, name, before.step)
    if new is None or old is None or new.shape != old.shape:
        return None
    old = old.astype(np.float64)
    with np.errstate(all="ignore"):
        size, change = float(np.linalg.norm(old)), float(np.linalg.norm(new.astype(np.float64) - old))
    steps = _steps_between(before, records[0])
    return change / size / steps**power if size > 0 and steps > 0 and math.isfinite(change / size) else None


def _steps_between(before: Step, after: Step) -> int:
    counts = [r.facts.optimizer_steps if r.facts else None for r in (before, after)]
    if counts[0] is not None and counts[1] is not None:
        return counts[1] - counts[0]
    return after.mode_step - before.mode_step
