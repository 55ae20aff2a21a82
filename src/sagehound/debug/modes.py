"""What a model is being used for, as the original debugger counts its steps."""

from __future__ import annotations

from enum import Enum


class ModeKeys(Enum):
    """Each mode has its own step counter. GLOBAL is what runs while no mode is set, and the counter over all modes."""

    TRAIN = 1
    EVAL = 2
    PREDICT = 3
    GLOBAL = 4


modes = ModeKeys
