"""The course of a loss: over steps that are alike, and by stretches of training and evaluations."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sagehound.debug.judging.running import Running
from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.history import loss_at
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import Step
from sagehound.debug.trial import Trial

#: Evaluations, and stretches of training, that are looked back at.
MOST_STRETCHES = 1_000
#: An evaluation that the training ends with, maybe cut short, is judged if it is so long, or as long as the one before.
_LAST_EVALUATION = 5


@dataclass(frozen=True)
class Points:
    """Values of a loss, the oldest first, with their global steps and those in their own mode's count."""

    steps: np.ndarray
    mode_steps: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Stretch:
    """Saved steps of one mode in a row, with a loss's values: a stretch of training, or one evaluation."""

    mode: str
    values: Sequence[float] | np.ndarray
    #: Global.
    last_step: int = 0

    @cached_property
    def mean(self) -> float:
        return float(np.mean(self.values))

    @cached_property
    def error(self) -> float:
        """The standard error of the mean; 0 where there are too few values to tell."""
        count = len(self.values)
        with np.errstate(invalid="ignore"):  # of infinities there is none
            return float(np.std(self.values, ddof=1) / count**0.5) if count > 2 else 0.0


def course(trial: Trial, step: int, name: str, most: int) -> Points:
    """A loss over the last `most` steps that did what this one does (see `alike`)."""
    return _curve(trial, step, name).like(trial, step).until(step, most)


def first_values(trial: Trial, step: int, name: str, count: int) -> list[float]:
    """The first `count` values of a loss over the steps that did what this one does, up to it."""
    found: list[float] = _curve(trial, step, name).like(trial, step).until(step).values[:count].tolist()
    return found


def evaluated(trial: Trial, step: int, name: str) -> list[Stretch]:
    """The stretches of a loss up to the end of an evaluation, where a step shows that one is over; else none.

    An evaluation is over when training goes on: the first step of training after it has this to say; or when the
    training has ended with it.
    """
    return _curve(trial, step, name).evaluated(step, ended_with(trial, step))


def ended_with(trial: Trial, step: int) -> bool:
    """Whether a training is over, and this was its last saved step."""
    return trial.loaded_all_steps and trial.saved.numbers()[-1] == step


class _Numbers:
    """Numbers that become more; what was given out of them stays as it is."""

    def __init__(self, kind: type) -> None:
        self._room: np.ndarray = np.empty(64, kind)
        self._count = 0

    def append(self, number: float) -> None:
        if self._count == len(self._room):
            self._room = np.concatenate([self._room, np.empty_like(self._room)])
        self._room[self._count] = number
        self._count += 1

    @property
    def all(self) -> np.ndarray:
        return self._room[: self._count]


class _Course:
    """A loss at some steps."""

    def __init__(self) -> None:
        self._steps, self._mode_steps, self._values = _Numbers(int), _Numbers(int), _Numbers(float)

    def append(self, record: Step, value: float) -> None:
        self._steps.append(record.step)
        self._mode_steps.append(record.mode_step)
        self._values.append(value)

    def until(self, step: int, most: int | None = None) -> Points:
        end = int(np.searchsorted(self._steps.all, step, side="right"))
        part = slice(0 if most is None else max(0, end - most), end)
        return Points(self._steps.all[part], self._mode_steps.all[part], self._values.all[part])


class _Curve:
    """All that is known of one loss; a Learner."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._alike: dict[tuple[str, bool], _Course] = {}
        #: TRAIN and EVAL together, and where in it each stretch begins.
        self._both = _Course()
        self._starts: list[int] = []
        self._modes: list[str] = []
        self._whole: list[Stretch] = []
        self._count = 0

    def take(self, trial: Trial, record: Step) -> None:
        value = loss_at(trial, record, self._name)
        if value is None:
            return
        self._alike.setdefault((record.mode, trains(trial, record.step)), _Course()).append(record, value)
        if record.mode not in ("TRAIN", "EVAL"):
            return
        if not self._modes or self._modes[-1] != record.mode:
            if self._modes:
                self._whole.append(self._stretch(len(self._modes) - 1, self._count))
            self._starts.append(self._count)
            self._modes.append(record.mode)
        self._both.append(record, value)
        self._count += 1

    def like(self, trial: Trial, step: int) -> _Course:
        mode = trial.mode(step) or ModeKeys.GLOBAL
        return self._alike.get((mode.name, trains(trial, step))) or _Course()

    def evaluated(self, step: int, ended: bool) -> list[Stretch]:
        """As the function of this name says."""
        points = self._both.until(step).steps
        if not len(points) or points[-1] != step:
            return []
        end, place = len(points), bisect_right(self._starts, len(points) - 1) - 1
        earlier = self._whole[max(0, place - 2 * MOST_STRETCHES) : place]
        if self._modes[place] == "TRAIN":
            return earlier if self._starts[place] == end - 1 and earlier else []
        before = len(earlier[-2].values) if len(earlier) > 1 else _LAST_EVALUATION
        if ended and end - self._starts[place] >= min(_LAST_EVALUATION, before):
            return [*earlier, self._stretch(place, end)]
        return []

    def _stretch(self, place: int, end: int) -> Stretch:
        points = self._both.until(1 << 62)
        start = self._starts[place]
        return Stretch(self._modes[place], points.values[start:end], int(points.steps[end - 1]))


_curves: Running[_Curve] = Running()


def _curve(trial: Trial, step: int, name: str) -> _Curve:
    return _curves.up_to(trial, step, name, lambda: _Curve(name))
