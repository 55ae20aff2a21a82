"""What was saved before a step: steps by mode, and the course of a loss."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.selection import trains
from sagehound.debug.statistics import read
from sagehound.debug.store.records import Step, TensorInfo, number
from sagehound.debug.trial import Trial, matching

#: Saved steps that a rule walks back at most: it bounds what a step costs in a long training.
FARTHEST = 5_000
#: Evaluations that follow no other are judged from this many saved steps on: fewer tell too little.
_FIRST_EVALUATION = 5
_PARAMETERS = ("weight", "bias", "parameter", "gradient", "optimizer", "input", "loss_input")


def back(trial: Trial, step: int, mode: ModeKeys = ModeKeys.GLOBAL) -> Iterator[Step]:
    """The records saved in a mode (GLOBAL: in any) at or before a global step, the newest first."""
    saved = trial.saved
    numbers = saved.numbers(mode)
    for place in range(bisect_right(numbers, step, key=lambda n: _global(trial, n, mode)) - 1, -1, -1):
        record = saved.first(_global(trial, numbers[place], mode))
        if record is not None:
            yield record


def alike(trial: Trial, step: int) -> Iterator[Step]:
    """The records of steps that did what this one does, the newest (itself) first: steps of its mode; without modes,
    training steps where it trains, and the others where it does not."""
    mode = trial.mode(step)
    if mode is None:
        return
    trained = trains(trial, step)
    for record in back(trial, step, mode):
        if record.mode == mode.name and (mode is not ModeKeys.GLOBAL or trains(trial, record.step) == trained):
            yield record


def index(trial: Trial, step: int) -> int:
    """How many steps of its mode were saved before a global step."""
    mode = trial.mode(step)
    return bisect_right(trial.saved.numbers(mode), step, key=lambda n: _global(trial, n, mode)) - 1


def losses(trial: Trial, step: int, tensor_regex: Sequence[str] = (), use_losses_collection: bool = True) -> list[str]:
    """The names of the losses saved at a step.

    Those of the collection "losses", or of losses by their kind; patterns narrow them. Where no loss matches (or the
    collection is not to be used) they are looked for among all numbers, so that a `save_scalar` is found too.
    """
    infos = trial.infos(step)
    if use_losses_collection:
        found = [info.name for info in infos if info.kind == "loss" or "losses" in info.collections]
        narrowed = [name for name in found if name in matching(found, tensor_regex)] if tensor_regex else found
        if narrowed or not tensor_regex:
            return narrowed
    numbers = [info.name for info in infos if _is_number(info)]
    return [name for name in numbers if name in matching(numbers, tensor_regex or [".*"])]


def any_loss(trial: Trial, mode: ModeKeys = ModeKeys.GLOBAL, tensor_regex: Sequence[str] = ()) -> bool:
    """Whether a step of the mode saved a loss."""
    return any(losses(trial, record.step, tensor_regex) for record in back(trial, _last(trial), mode))


def loss_at(trial: Trial, record: Step, name: str) -> float | None:
    """A loss at a saved step: the number, or the mean of what is more than one; None where it was not saved."""
    if name in record.scalars:
        return number(record.scalars[name])
    if all(info.name != name for info in trial.infos(record.step)):
        return None
    array = read(trial, name, record.step)
    return float(np.mean(array)) if array is not None and array.size else None


def course(trial: Trial, step: int, name: str, most: int = FARTHEST) -> list[tuple[Step, float]]:
    """A loss over the last `most` steps that did what this one does, the oldest first."""
    found = ((record, loss_at(trial, record, name)) for record in islice(alike(trial, step), most))
    return [(record, value) for record, value in found if value is not None][::-1]


def first_values(trial: Trial, step: int, name: str, count: int) -> list[float]:
    """The first `count` values of a loss in the mode of this step; the step itself is the last that is looked at."""
    mode = trial.mode(step)
    values: list[float] = []
    for place in trial.saved.numbers(mode):
        record = trial.saved.first(_global(trial, place, mode))
        if record is None or record.step > step or len(values) == count:
            break
        value = loss_at(trial, record, name) if trains(trial, record.step) == trains(trial, step) else None
        if value is not None:
            values.append(value)
    return values


@dataclass(frozen=True)
class Stretch:
    """Saved steps of one mode in a row, with a loss's values: a stretch of training, or one evaluation."""

    mode: str
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))

    @property
    def error(self) -> float:
        """The standard error of the mean; 0 where there are too few values to tell."""
        count = len(self.values)
        return float(np.std(self.values, ddof=1) / count**0.5) if count > 2 else 0.0


def stretches(trial: Trial, step: int, name: str) -> list[Stretch]:
    """A loss by stretches of training and evaluation up to a global step, the oldest first."""
    found: list[tuple[str, list[float]]] = []
    for record in islice(back(trial, step), FARTHEST):
        value = loss_at(trial, record, name) if record.mode in ("TRAIN", "EVAL") else None
        if value is None:
            continue
        if not found or found[-1][0] != record.mode:
            found.append((record.mode, []))
        found[-1][1].append(value)
    return [Stretch(mode, tuple(reversed(values))) for mode, values in reversed(found)]


def evaluated(trial: Trial, step: int, name: str) -> list[Stretch]:
    """The stretches of a loss up to the end of an evaluation, where a step shows that one is over; else none.

    An evaluation is over when it is as long as the one before, or when training goes on. The first of all is taken as
    it stands from a few saved steps on, because a training may end with it.
    """
    records = list(islice(back(trial, step), 2))
    ends_here = len(records) == 2 and records[0].mode == "TRAIN" and records[1].mode == "EVAL"
    if not records or not (ends_here or records[0].mode == "EVAL"):
        return []
    found = stretches(trial, records[1].step if ends_here else step, name)
    while found and found[-1].mode != "EVAL":
        found.pop()
    lengths = [len(each.values) for each in found if each.mode == "EVAL"]
    if ends_here or (len(lengths) > 1 and lengths[-1] == lengths[-2]):
        return found
    return found if len(lengths) == 1 and lengths[0] >= _FIRST_EVALUATION else []


def no_modes(trial: Trial, tensor_regex: Sequence[str] = ()) -> str:
    """Why the losses of training and evaluation cannot be compared; "" where both were saved."""
    missing = [m.name for m in (ModeKeys.TRAIN, ModeKeys.EVAL) if not any_loss(trial, m, tensor_regex)]
    if not missing:
        return ""
    if not any_loss(trial, ModeKeys.GLOBAL, tensor_regex):
        return "no losses were saved; add CollectionConfig(name='losses') and register the loss with the hook"
    if len(missing) == 2:
        return "the losses were saved without a mode; call hook.set_mode(modes.TRAIN) and hook.set_mode(modes.EVAL)"
    return (
        f"no losses were saved in mode {missing[0]}; call hook.set_mode(modes.{missing[0]}) before that part, and let "
        f"CollectionConfig(name='losses') have a short {missing[0].lower()}.save_interval"
    )


def _global(trial: Trial, number: int, mode: ModeKeys) -> int:
    found = trial.saved.global_step(number, mode)
    return number if found is None else found


def _last(trial: Trial) -> int:
    numbers = trial.saved.numbers()
    return numbers[-1] if numbers else -1


def _is_number(info: TensorInfo) -> bool:
    return info.saved == "scalar" and info.kind not in _PARAMETERS
