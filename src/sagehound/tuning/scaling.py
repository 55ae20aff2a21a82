"""The scales on which a numeric range is searched."""

from __future__ import annotations

import math
from enum import StrEnum

from sagehound.errors import InvalidInput

#: From this ratio of the bounds on, `Auto` searches a positive range by its logarithm: a learning rate from 0.001
#: to 0.1 does, a layer's width from 16 to 64 does not. The tolerance takes in a ratio such as 0.3 / 0.003.
_AUTO_RATIO = 100.0 * (1 - 1e-9)


class Scaling(StrEnum):
    """SageMaker's scaling types. `Auto` becomes `Logarithmic` where the range is above 0 and spans at least two
    powers of ten, else `Linear`. `Logarithmic` is for ranges above 0, `ReverseLogarithmic`, whose steps get finer
    towards 1, for ranges within 0 <= x < 1."""

    AUTO = "Auto"
    LINEAR = "Linear"
    LOGARITHMIC = "Logarithmic"
    REVERSE_LOGARITHMIC = "ReverseLogarithmic"

    def resolved(self, low: float, high: float) -> Scaling:
        """The scale itself for the range low..high; InvalidInput where it is not for such a range."""
        if self is Scaling.AUTO:
            return Scaling.LOGARITHMIC if low > 0 and high / low >= _AUTO_RATIO else Scaling.LINEAR
        if self is Scaling.LOGARITHMIC and low <= 0:
            raise InvalidInput(f"{self} scaling needs a minimum above 0, not {low:g}; raise it, or choose Linear")
        if self is Scaling.REVERSE_LOGARITHMIC and not 0 <= low <= high < 1:
            raise InvalidInput(f"{self} scaling needs a range within 0 <= x < 1, not {low:g} to {high:g}")
        return self

    def forward(self, value: float) -> float:
        """Where `value` lies on the scale."""
        if self is Scaling.LOGARITHMIC:
            return math.log(value)
        return -math.log1p(-value) if self is Scaling.REVERSE_LOGARITHMIC else value

    def backward(self, position: float) -> float:
        """The value at a position on the scale: the inverse of `forward`."""
        if self is Scaling.LOGARITHMIC:
            return math.exp(position)
        return -math.expm1(-position) if self is Scaling.REVERSE_LOGARITHMIC else position

    def between(self, low: float, high: float, fraction: float) -> float:
        """The value at `fraction` (0 to 1) of the way from low to high, as the scale measures it."""
        start, end = self.forward(low), self.forward(high)
        return self.backward(start + fraction * (end - start))
