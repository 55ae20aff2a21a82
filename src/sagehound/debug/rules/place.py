"""Where a finding was made."""

from __future__ import annotations

from typing import TypedDict

from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial


class Place(TypedDict):
    """The fields of a finding that say where."""

    step: int
    mode: str
    tensor: str
    module: str


def place(trial: Trial, step: int, info: TensorInfo) -> Place:
    """The place of a tensor at a saved global step, counted in the mode of that step."""
    record = trial.saved.first(step)
    if record is None:
        return Place(step=step, mode="GLOBAL", tensor=info.name, module=info.module)
    return Place(step=record.mode_step, mode=record.mode, tensor=info.name, module=info.module)
