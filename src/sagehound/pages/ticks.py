"""Round numbers for a scale."""

from __future__ import annotations

import math


def ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round numbers between two others.

    >>> ticks(0, 97), ticks(0.12, 0.31)
    ([0.0, 25.0, 50.0, 75.0], [0.15, 0.2, 0.25, 0.3])
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return []
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = min((factor * power for factor in (1, 2, 2.5, 5, 10)), key=lambda each: abs(each - raw))
    first = math.ceil(low / step - 1e-9)
    return [float(f"{at * step:.10g}") for at in range(first, math.floor(high / step + 1e-9) + 1)]


def decades(low: float, high: float) -> list[float]:
    """The powers of ten between two numbers above 0.

    >>> decades(0.0005, 0.1)
    [0.001, 0.01, 0.1]
    """
    lowest, highest = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return [float(f"1e{power}") for power in range(lowest, highest + 1)]
