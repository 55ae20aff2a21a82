"""The reductions of tensors where they are: the same numbers as `reductions.reduce_array`, in one pass over memory.

A tensor is taken a chunk at a time into a buffer of float64 that stays in the processor's cache, so every type of
number is reduced without overflow or loss. What is computed there are sums and extremes (`_MOMENTS`); means, variances
and norms are made of them afterwards, for all tensors at once: a device is waited for once a call.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import torch

_CPU_CHUNK = 1 << 16
_DEVICE_CHUNK = 1 << 24
#: What each moment needs, by the reductions that are made of it.
_MOMENTS = {
    "low": {"min", "abs_max"},
    "high": {"max", "abs_max"},
    "sum": {"sum", "mean"},
    "square": {"l2", "abs_l2"},
    "product": {"prod", "abs_prod"},
    "shifted": {"variance", "std"},
    "shifted_square": {"variance", "std"},
    "abs_low": {"abs_min"},
    "abs_sum": {"l1", "abs_l1", "abs_sum", "abs_mean"},
    "abs_shifted": {"abs_variance", "abs_std"},
    "abs_shifted_square": {"abs_variance", "abs_std"},
}
_FOLDS: dict[str, Callable[[np.ndarray], np.floating]] = {
    "low": np.min,
    "abs_low": np.min,
    "high": np.max,
    "product": np.prod,
}
_thread = threading.local()
_OF_NOTHING = {"sum": 0.0, "l1": 0.0, "l2": 0.0, "prod": 1.0}


def reduce_tensor(tensor: torch.Tensor, names: Sequence[str]) -> torch.Tensor:
    """The reductions of one tensor, in the order of `names`, as a float64 vector on the CPU.

    >>> reduce_tensor(torch.tensor([3.0, -4.0]), ("max", "abs_mean", "l2")).tolist()
    [3.0, 3.5, 5.0]
    """
    return reduce_tensors([tensor], [names])


@torch.no_grad()
def reduce_tensors(tensors: Sequence[torch.Tensor], names: Sequence[Sequence[str]]) -> torch.Tensor:
    """The reductions of many tensors, each with its own names, one after the other in a float64 vector on the CPU."""
    largest = max((tensor.numel() for tensor in tensors), default=0)
    devices: dict[torch.device, _Device] = {}
    for at, (tensor, wanted) in enumerate(zip(tensors, names, strict=True)):
        if wanted and tensor.numel():
            device = devices.get(tensor.device) or devices.setdefault(tensor.device, _Device(tensor.device, largest))
            device.take(at, tensor, moments_of(tuple(wanted)))
    moments = {at: whole for device in devices.values() for at, whole in device.moments()}
    found = [
        _reduction(name, moments.get(at, {}), tensor.numel())
        for at, (tensor, wanted) in enumerate(zip(tensors, names, strict=True))
        for name in wanted
    ]
    return torch.tensor(found, dtype=torch.float64)


@lru_cache
def moments_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The moments that these reductions are made of."""
    return tuple(moment for moment, used in _MOMENTS.items() if used & set(names))


class _Device:
    """The moments of the tensors on a device, which stay there until all are taken."""

    def __init__(self, device: torch.device, largest: int) -> None:
        self._buffer, self._second = _cpu_buffers() if device.type == "cpu" else _device_buffers(device, largest)
        self._here = device.type == "cpu"
        self._numbers: list[torch.Tensor] = []
        self._taken: list[tuple[int, tuple[str, ...], int]] = []
        self._done: list[tuple[int, dict[str, float]]] = []

    def take(self, at: int, tensor: torch.Tensor, moments: tuple[str, ...]) -> None:
        """Compute the moments of tensor number `at`, chunk by chunk."""
        values = tensor.detach()
        values = values.to_dense() if values.layout is not torch.strided else values
        values = values.to(torch.complex128).abs() if values.is_complex() else values
        flat = values.reshape(-1)
        # Variances are of the distance to the first number: those of the numbers themselves can cancel out. Here it is
        # seen at once whether they do; a device would have to be waited for.
        spread = "shifted" in moments or "abs_shifted" in moments
        if self._here:
            found = self._found(flat, None, moments)
            if spread and _cancels(found, flat.shape[0]):
                found = self._found(flat, flat[0].to(self._buffer.dtype), moments)
            self._done.append((at, found))
            return
        self._numbers += self._pass(flat, flat[0].to(self._buffer.dtype) if spread else None, moments)
        self._taken.append((at, moments, -(-flat.shape[0] // self._buffer.shape[0])))

    def _pass(self, flat: torch.Tensor, first: torch.Tensor | None, moments: tuple[str, ...]) -> Iterator[torch.Tensor]:
        count, size = flat.shape[0], self._buffer.shape[0]
        for start in range(0, count, size):
            length = min(size, count - start)
            own = self._buffer[:length].copy_(flat if length == count else flat[start : start + length])
            yield from _moments(own, self._second[:length], first, moments)

    def _found(self, flat: torch.Tensor, first: torch.Tensor | None, moments: tuple[str, ...]) -> dict[str, float]:
        rows = [number.item() for number in self._pass(flat, first, moments)]
        return dict(zip(moments, rows if len(rows) == len(moments) else _folded(moments, rows), strict=True))

    def moments(self) -> Iterator[tuple[int, dict[str, float]]]:
        """The number of each tensor that was taken, and its moments."""
        yield from self._done
        if not self._numbers:
            return
        numbers = torch.stack(self._numbers).tolist()
        start = 0
        for at, moments, chunks in self._taken:
            rows = numbers[start : start + chunks * len(moments)]
            start += len(rows)
            yield at, dict(zip(moments, rows if chunks == 1 else _folded(moments, rows), strict=True))


def _cpu_buffers() -> tuple[torch.Tensor, torch.Tensor]:
    """Two chunks, kept for the thread: memory that is asked for at each call comes page by page from the kernel."""
    kept: tuple[torch.Tensor, torch.Tensor] | None = getattr(_thread, "buffers", None)
    if kept is None or kept[0].shape[0] != _CPU_CHUNK:
        # One that is made in inference mode could not be written to outside of it.
        with torch.inference_mode(False):
            one, two = torch.empty(2, _CPU_CHUNK, dtype=torch.float64, device="cpu")
            kept = _thread.buffers = (one, two)
    return kept


def _device_buffers(device: torch.device, largest: int) -> tuple[torch.Tensor, torch.Tensor]:
    # Apple's GPUs have no float64.
    precise = torch.float32 if device.type == "mps" else torch.float64
    one, two = torch.empty(2, min(largest, _DEVICE_CHUNK), dtype=precise, device=device)
    return one, two


def _moments(
    chunk: torch.Tensor, second: torch.Tensor, first: torch.Tensor | None, moments: tuple[str, ...]
) -> list[torch.Tensor]:
    """The moments of a chunk; those that are shifted by `first`, or not at all. It is overwritten, and so is `second`,
    which is as long."""
    found: dict[str, torch.Tensor] = {}
    if "low" in moments or "high" in moments:
        found["low"], found["high"] = torch.aminmax(chunk)
    if "sum" in moments:
        found["sum"] = chunk.sum()
    if "square" in moments:
        found["square"] = torch.dot(chunk, chunk)
    if "product" in moments:
        found["product"] = chunk.prod()
    absolute = torch.abs(chunk, out=second) if moments[-1].startswith("abs_") else chunk
    if first is None:
        found |= _unshifted(found, chunk, absolute, moments)
        return [found[moment] for moment in moments]
    if "shifted" in moments:
        chunk.sub_(first)
        found["shifted"], found["shifted_square"] = chunk.sum(), torch.dot(chunk, chunk)
    if "abs_low" in moments:
        found["abs_low"] = absolute.min()
    if "abs_sum" in moments:
        found["abs_sum"] = absolute.sum()
    if "abs_shifted" in moments:
        absolute.sub_(first.abs())
        found["abs_shifted"], found["abs_shifted_square"] = absolute.sum(), torch.dot(absolute, absolute)
    return [found[moment] for moment in moments]


def _unshifted(
    found: dict[str, torch.Tensor], chunk: torch.Tensor, absolute: torch.Tensor, moments: tuple[str, ...]
) -> dict[str, torch.Tensor]:
    """What is left of a chunk's moments where nothing is taken from its numbers: most are there already."""
    more: dict[str, torch.Tensor] = {}
    if "abs_low" in moments:
        more["abs_low"] = absolute.min()
    if "abs_sum" in moments or "abs_shifted" in moments:
        more["abs_sum"] = more["abs_shifted"] = absolute.sum()
    if "shifted" in moments:
        more["shifted"] = found["sum"] if "sum" in found else chunk.sum()
    if "shifted" in moments or "abs_shifted" in moments:
        more["shifted_square"] = found["square"] if "square" in found else torch.dot(chunk, chunk)
        more["abs_shifted_square"] = more["shifted_square"]
    return more


def _cancels(moments: dict[str, float], count: int) -> bool:
    """Whether a variance has lost digits: numbers that lie far from 0 beside their spread."""
    for prefix in ("", "abs_"):
        if f"{prefix}shifted" in moments:
            mean, square = moments[f"{prefix}shifted"] / count, moments[f"{prefix}shifted_square"] / count
            if square - mean * mean < 1e-3 * square:
                return True
    return False


def _folded(moments: tuple[str, ...], rows: list[float]) -> list[float]:
    """The moments of the whole tensor from those of its chunks."""
    table = np.array(rows).reshape(-1, len(moments))
    with np.errstate(all="ignore"):
        return [float(_FOLDS.get(moment, np.sum)(table[:, at])) for at, moment in enumerate(moments)]


def _reduction(name: str, moments: dict[str, float], count: int) -> float:
    """One reduction of a tensor of `count` elements, from its moments."""
    kind = name.removeprefix("abs_")
    absolute = "abs_" if kind != name else ""
    if not count:
        return _OF_NOTHING.get(kind, math.nan)
    match kind:
        case "variance" | "std":
            mean = moments[f"{absolute}shifted"] / count
            # Rounding can take it below 0; NaN stays NaN.
            variance = moments[f"{absolute}shifted_square"] / count - mean * mean
            variance = 0.0 if variance < 0 else variance
            return math.sqrt(variance) if kind == "std" else variance
        case "l2":
            return math.sqrt(moments["square"])
        case "l1":
            return moments["abs_sum"]
        case "mean":
            return moments[f"{absolute}sum"] / count
        case "sum":
            return moments[f"{absolute}sum"]
        case "prod":
            return abs(moments["product"]) if absolute else moments["product"]
        case "min":
            return moments[f"{absolute}low"]
    return max(abs(moments["low"]), abs(moments["high"])) if absolute else moments["high"]
