"""What was saved before a step: steps by mode, and losses."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np

from sagehound.debug.judging.statistics import read
from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.absence import never_evaluated
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import Step, TensorInfo, number
from sagehound.debug.trial import Trial, matching

_PARAMETERS = ("weight", "bias", "parameter", "gradient", "optimizer", "input", "loss_input")


def back(trial: Trial, step: int, mode: ModeKeys = ModeKeys.GLOBAL) -> Iterator[Step]:
    """The records saved in a mode (GLOBAL: in any) at or before a global step, the newest first."""
    saved = trial.saved
    numbers = saved.numbers(mode)
    for place in range(_saved_until(trial, step, mode) - 1, -1, -1):
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
    return _saved_until(trial, step, trial.mode(step)) - 1


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


def no_modes(trial: Trial, tensor_regex: Sequence[str] = ()) -> str:
    """Why the losses of training and evaluation cannot be compared; "" where both were saved, or nothing was ever
    evaluated."""
    missing = [m.name for m in (ModeKeys.TRAIN, ModeKeys.EVAL) if not any_loss(trial, m, tensor_regex)]
    if not missing:
        return ""
    if not any_loss(trial, ModeKeys.GLOBAL, tensor_regex):
        return "no losses were saved; add CollectionConfig(name='losses') and register the loss with the hook"
    if missing == ["EVAL"] and never_evaluated(trial):
        return ""
    if len(missing) == 2:
        return "the losses were saved without a mode; call hook.set_mode(modes.TRAIN) and hook.set_mode(modes.EVAL)"
    return (
        f"no losses were saved in mode {missing[0]}; call hook.set_mode(modes.{missing[0]}) before that part, and let "
        f"CollectionConfig(name='losses') have a short {missing[0].lower()}.save_interval"
    )


def _saved_until(trial: Trial, step: int, mode: ModeKeys) -> int:
    """How many steps of a mode were saved up to and with a global step."""
    numbers, record = trial.saved.numbers(mode), trial.saved.first(step)
    if mode is ModeKeys.GLOBAL:
        return bisect_right(numbers, step)
    if record is not None and record.mode == mode.name:
        return bisect_right(numbers, record.mode_step)
    return bisect_right(numbers, step, key=lambda number: _global(trial, number, mode))


def _global(trial: Trial, number: int, mode: ModeKeys) -> int:
    found = trial.saved.global_step(number, mode)
    return number if found is None else found


def _last(trial: Trial) -> int:
    numbers = trial.saved.numbers()
    return numbers[-1] if numbers else -1


def _is_number(info: TensorInfo) -> bool:
    return info.saved == "scalar" and info.kind not in _PARAMETERS
