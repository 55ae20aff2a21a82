"""What rules ask of a tensor at a step: counted in one pass over memory, once for all rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sagehound.debug.judging.step_memory import StepMemory
from sagehound.debug.store.records import REDUCTIONS, TensorInfo, number
from sagehound.debug.trial import Trial
from sagehound.errors import TensorUnavailableForStep

#: Elements of one pass: 128 KiB of float32 and as much for their absolute values, so that both stay in the cache.
_CHUNK = 32768
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Statistics:
    """A tensor in numbers, as NumPy computes them: one NaN among the elements makes them all NaN.

    `count` is the number of elements; `nan`, `inf` and `zeros` count those that are so. `variance` is the population's,
    `l2` the root of the sum of squares. Of complex numbers the magnitudes are meant. None: only reductions were saved,
    and they do not tell. A tensor without elements has NaN for all but the counts and `l2`.
    """

    count: int
    nan: int | None = None
    inf: int | None = None
    zeros: int | None = None
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    abs_mean: float | None = None
    variance: float | None = None
    l2: float | None = None

    @property
    def finite(self) -> bool | None:
        """Whether every element is; None where the reductions do not tell."""
        if self.nan is not None and self.inf is not None:
            return self.nan == 0 and self.inf == 0
        known = (self.min, self.max, self.mean, self.abs_mean, self.variance)
        return False if any(value is not None and not math.isfinite(value) for value in known) else None


def statistics(trial: Trial, name: str, step: int) -> Statistics:
    """The statistics of a tensor at a global step, of the first worker; TensorUnavailableForStep where there is none.

    The answers of the last few steps are kept, so the second rule that asks pays nothing.
    """
    return _statistics.get(trial, step, name, lambda: _computed(trial, name, step))


def read(trial: Trial, name: str, step: int) -> np.ndarray | None:
    """The array at a global step, of the first worker (a scalar has no dimensions); None where only reductions were
    saved."""
    worker, info = _described(trial, name, step)
    if info.saved == "nothing":
        return None
    if info.saved == "scalar":
        return np.asarray(number(trial.saved.by_worker(step)[worker].scalars[name]))
    return trial.source.read(worker, step, name)


def of_array(array: np.ndarray) -> Statistics:
    """The statistics of an array.

    >>> of_array(np.array([-3.0, 0.0, 0.0, 5.0])).abs_mean
    2.0
    """
    flat = array.reshape(-1)
    if flat.size == 0:
        return Statistics(0, 0, 0, 0, _NAN, _NAN, _NAN, _NAN, _NAN, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        return _in_one_pass(flat) or _of_unusual(flat)


def of_reductions(info: TensorInfo, reductions: Mapping[str, float]) -> Statistics:
    """What saved reductions tell of a tensor.

    >>> of_reductions(TensorInfo(name="g", kind="gradient", shape=(4,)), {"l1": 2.0}).abs_mean
    0.5
    """
    count = math.prod(info.shape)
    low, high = reductions.get("min"), reductions.get("max")
    magnitude, least = reductions.get("abs_max"), reductions.get("abs_min")
    l2 = _first(reductions.get("l2"), reductions.get("abs_l2"))
    std = reductions.get("std")
    sums = _first(reductions.get("l1"), reductions.get("abs_l1"), reductions.get("abs_sum"))
    abs_mean = _first(reductions.get("abs_mean"), sums / count if sums is not None and count else None)
    total = reductions.get("sum")
    mean = _first(reductions.get("mean"), total / count if total is not None and count else None)
    sound = any(value is not None and math.isfinite(value) for value in (mean, abs_mean, l2))
    nothing = 0.0 in (magnitude, l2, abs_mean) or (low == 0 and high == 0)
    everything = any(value is not None and value > 0 for value in (least, low)) or (high is not None and high < 0)
    return Statistics(
        count,
        nan=0 if sound else None,
        inf=0 if sound else None,
        zeros=count if nothing else 0 if everything else None,
        min=low,
        max=high,
        mean=mean,
        abs_mean=abs_mean,
        variance=_first(reductions.get("variance"), None if std is None else std * std),
        l2=l2,
    )


def chunks(flat: np.ndarray) -> Iterator[np.ndarray]:
    """Parts of a flat array that stay in the cache, as float32 or float64; whole numbers as float64, complex numbers as
    their magnitudes."""
    as_it_is = flat.dtype in (np.float32, np.float64)
    for start in range(0, flat.size, _CHUNK):
        chunk = flat[start : start + _CHUNK]
        if as_it_is:
            yield chunk
        elif np.iscomplexobj(chunk):
            yield np.abs(chunk)
        else:
            yield chunk.astype(np.float32 if flat.dtype == np.float16 else np.float64)


_statistics: StepMemory[Statistics] = StepMemory()
_reductions: StepMemory[dict[str, dict[str, float]]] = StepMemory()


def _computed(trial: Trial, name: str, step: int) -> Statistics:
    array = read(trial, name, step)
    if array is not None:
        return of_array(array)
    worker, info = _described(trial, name, step)
    return of_reductions(info, _reductions.get(trial, step, worker, lambda: _all_reductions(trial, worker, step))[name])


def _all_reductions(trial: Trial, worker: str, step: int) -> dict[str, dict[str, float]]:
    values = iter(trial.source.read(worker, step, REDUCTIONS).tolist())
    infos = trial.layout_infos(worker, trial.saved.by_worker(step)[worker].layout)
    return {name: {each: next(values) for each in info.reductions} for name, info in infos.items()}


def _in_one_pass(flat: np.ndarray) -> Statistics | None:
    """None for an array with NaN, infinity, or squares beyond its type."""
    total = absolute = squares = 0.0
    zeros, low, high = 0, math.inf, -math.inf
    for chunk in chunks(flat):
        square = float(np.dot(chunk, chunk))
        if not math.isfinite(square):
            return None
        squares += square
        total += float(chunk.sum())
        absolute += float(np.abs(chunk).sum())
        zeros += chunk.size - int(np.count_nonzero(chunk))
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
    mean, of_squares = total / flat.size, squares / flat.size
    variance = of_squares - mean * mean
    if variance < 1e-3 * of_squares:
        variance = _variance(flat, mean)
    return Statistics(
        flat.size, 0, 0, zeros, low, high, mean, absolute / flat.size, max(0.0, variance), math.sqrt(squares)
    )


def _of_unusual(flat: np.ndarray) -> Statistics:
    """The same in float64 and without haste, where one pass does not do."""
    with np.errstate(all="ignore"):
        flat = (np.abs(flat) if np.iscomplexobj(flat) else flat).astype(np.float64)
        size = np.abs(flat)
        return Statistics(
            flat.size,
            nan=int(np.isnan(flat).sum()),
            inf=int(np.isinf(flat).sum()),
            zeros=flat.size - int(np.count_nonzero(flat)),
            min=float(flat.min()),
            max=float(flat.max()),
            mean=float(flat.mean()),
            abs_mean=float(size.mean()),
            variance=float(flat.var()),
            l2=float(np.sqrt(np.square(size).sum())),
        )


def _variance(flat: np.ndarray, mean: float) -> float:
    """A second pass, where the mean is so large beside the spread that one pass loses the digits."""
    centred = (chunk.astype(np.float64) - mean for chunk in chunks(flat))
    return sum(float(np.dot(chunk, chunk)) for chunk in centred) / flat.size


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _described(trial: Trial, name: str, step: int) -> tuple[str, TensorInfo]:
    for worker, record in sorted(trial.saved.by_worker(step).items()):
        info = trial.layout_infos(worker, record.layout).get(name)
        if info is not None:
            return worker, info
    raise TensorUnavailableForStep(f"{name} was not saved at global step {step}")
