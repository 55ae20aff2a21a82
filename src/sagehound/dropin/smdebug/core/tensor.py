"""A tensor of a trial."""

from sagehound.debug.reading.saved_steps import StepState
from sagehound.debug.tensor import Tensor

__all__ = ["StepState", "Tensor"]
