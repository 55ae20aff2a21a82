"""How often the units of a layer are in use."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from sagehound.debug.judging.statistics import read
from sagehound.debug.judging.step_memory import STEPS_KEPT, StepMemory
from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial

#: Which elements of an array leave their unit idle.
Idle = Callable[[np.ndarray], np.ndarray]

_CHANNELS_FIRST = ("Conv", "BatchNorm", "InstanceNorm", "GroupNorm")
_CHANNELS_LAST = ("Linear", "LayerNorm", "RMSNorm")
_ELEMENTS = 1 << 16


@dataclass(frozen=True, slots=True)
class UnitActivity:
    """`active` is the share of the observations (samples, and places of a feature map) in which each unit was in use,
    one number a unit; `observations` how many there were."""

    active: np.ndarray
    observations: int

    def below(self, percent: float) -> float:
        """The percentage of units that were in use in less than `percent` of the observations."""
        return 100 * float(np.mean(self.active * 100 < percent))


def unit_activity(trial: Trial, step: int, info: TensorInfo, what: str, idle: Idle, percent: float) -> UnitActivity:
    """The activity of a layer's units, from the tensor saved at a step and as many earlier ones of the same mode as it
    takes to see a share of `percent`: 100 / percent observations. `what` names `idle`, whose counts are kept.

    A unit is a channel where the layer comes after a convolution or a batch norm, and a feature (the last axis) after
    a linear layer; without such a layer it is a channel of a tensor of four or more axes and else a feature.
    """
    axis = unit_axis(trial, info)
    record = trial.saved.first(step)
    mode = ModeKeys[record.mode] if record else ModeKeys.GLOBAL
    wanted = observations_for(percent)
    idle_counts, seen = np.zeros(info.shape[axis], np.int64), 0
    for earlier in reversed(_same_mode(trial, info.name, step, mode)):
        count = partial(_count, trial, info, earlier, axis, idle)
        counts, observations = _counts.get(trial, earlier, (info.name, what), count)
        if counts.shape != idle_counts.shape:
            break
        idle_counts, seen = idle_counts + counts, seen + observations
        if seen >= wanted:
            break
    return UnitActivity(1 - idle_counts / max(1, seen), seen)


def observations_for(percent: float) -> int:
    """How many observations it takes to see a share of `percent`: with fewer, a unit that was never in use may have
    had no occasion.

    >>> observations_for(1.0), observations_for(0.0)
    (100, 1)
    """
    return max(1, math.ceil(100 / percent)) if percent > 0 else 1


def unit_axis(trial: Trial, info: TensorInfo) -> int:
    """The axis of a layer's input or output that counts its units."""
    axes = len(info.shape)
    if axes <= 2:
        return axes - 1
    before = [module.type for module in trial.model.modules]
    place = next((n for n, module in enumerate(trial.model.modules) if module.path == info.module), 0)
    for kind in reversed(before[:place]):
        if kind.startswith(_CHANNELS_FIRST):
            return 1
        if kind.startswith(_CHANNELS_LAST):
            return axes - 1
    return 1 if axes >= 4 else axes - 1


_counts: StepMemory[tuple[np.ndarray, int]] = StepMemory()


def _same_mode(trial: Trial, name: str, step: int, mode: ModeKeys) -> list[int]:
    """The global steps at which the tensor was saved in that mode, up to `step`."""
    record = trial.saved.first(step)
    own = record.mode_step if record else step
    steps = trial.tensor(name).prev_steps(own, STEPS_KEPT, mode)
    return [at for each in steps if (at := trial.saved.global_step(each, mode)) is not None]


def _count(trial: Trial, info: TensorInfo, step: int, axis: int, idle: Idle) -> tuple[np.ndarray, int]:
    """How often each unit was idle at one step, and among how many observations."""
    array = read(trial, info.name, step)
    if array is None or not array.size or not 0 <= axis < array.ndim:
        return np.zeros(0, np.int64), 0
    units = array.shape[axis]
    rows = array.reshape(-1, units, math.prod(array.shape[axis + 1 :]))
    counts = np.zeros(units, np.int64)
    at_once = max(1, _ELEMENTS * len(rows) // array.size)
    for start in range(0, len(rows), at_once):
        flags = idle(rows[start : start + at_once])
        counts += np.count_nonzero(flags, axis=(0, 2))
    return counts, array.size // units
