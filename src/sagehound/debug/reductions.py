"""What a tensor is boiled down to: one number for each name.

Means, sums and variances are those of the whole tensor, in float64. `std` and `variance` are of the population (divided
by n), so one element has variance 0, and a reduction saved by the hook equals the one computed from the saved tensor.
A name with `abs_` before it is of the absolute values. An empty tensor has sum 0, prod 1 and norms 0, and NaN for the
rest. A complex tensor is reduced by its magnitudes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sagehound.errors import DebuggerValueError

REDUCTIONS = ("min", "max", "mean", "std", "variance", "sum", "prod")
NORMS = ("l1", "l2")
#: Every reduction there is, by the name that saved reductions go by.
NAMES = (*REDUCTIONS, *NORMS, *(f"abs_{name}" for name in (*REDUCTIONS, *NORMS)))


def reduce_array(array: np.ndarray[Any, Any], name: str) -> float:
    """One reduction of an array of any shape and type.

    >>> reduce_array(np.array([3.0, -4.0]), "l2"), reduce_array(np.array([3.0, -4.0]), "abs_mean")
    (5.0, 3.5)
    """
    if name not in NAMES:
        raise DebuggerValueError(f"unknown reduction {name!r}; there are {', '.join(NAMES)}")
    values = np.asarray(array)
    values = np.abs(values) if np.iscomplexobj(values) else values
    values = values.astype(np.float64, copy=False)
    if name.startswith("abs_"):
        values, name = np.abs(values), name.removeprefix("abs_")
    if not values.size and name not in ("sum", "prod", "l1", "l2"):
        return float("nan")
    with np.errstate(all="ignore"):
        return float(_of(values, name))


def _of(values: np.ndarray[Any, Any], name: str) -> np.float64:
    match name:
        case "variance":
            return np.float64(np.var(values))
        case "l1":
            return np.float64(np.abs(values).sum())
        case "l2":
            return np.float64(np.sqrt(np.square(values).sum()))
    return np.float64(getattr(np, name)(values))
