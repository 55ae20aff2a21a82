"""Copying tensors off a model, to the host."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.compiler import is_compiling
from torch.jit import is_tracing  # type: ignore[attr-defined]

from sagehound.errors import DebuggerTypeError

_FAKE = ("FakeTensor", "FunctionalTensor")
_PLAIN = (torch.Tensor, torch.nn.Parameter)


def plain(tensor: torch.Tensor, tell: Callable[[str], None]) -> torch.Tensor:
    """The tensor without its history, as an ordinary dense one; `tell` hears what had to be changed for that.
    DebuggerTypeError where there are no values to save. Not a copy, where it is dense already."""
    if type(tensor) in _PLAIN and tensor.layout is torch.strided and not tensor.is_meta:
        detached = tensor.detach()
        if detached.is_quantized:
            tell("it is quantized; saved as float32")
            return detached.dequantize()
        return detached.resolve_conj().resolve_neg() if detached.is_complex() else detached
    return _dense(tensor, tell)


def copied(tensor: torch.Tensor) -> torch.Tensor:
    """A copy that nothing else writes to, where the tensor is: on another device it is brought over later, all at
    once, so that the device need not be waited for now."""
    return tensor.clone(memory_format=torch.contiguous_format)


def on_host(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same on the CPU; those of one device and type come over in one go."""
    away: dict[tuple[torch.device, torch.dtype], dict[int, torch.Tensor]] = {}
    for tensor in tensors.values():
        if tensor.device.type != "cpu":
            away.setdefault((tensor.device, tensor.dtype), {})[id(tensor)] = tensor
    here: dict[int, torch.Tensor] = {}
    for group in away.values():
        with torch.no_grad():
            flat = torch.cat([tensor.reshape(-1) for tensor in group.values()]).cpu()
        parts = torch.split(flat, [tensor.numel() for tensor in group.values()])
        here |= {key: part.view(group[key].shape) for key, part in zip(group, parts, strict=True)}
    return {name: here.get(id(tensor), tensor) for name, tensor in tensors.items()} if here else tensors


def type_name(dtype: torch.dtype) -> str:
    """torch's word for a type.

    >>> type_name(torch.bfloat16)
    'bfloat16'
    """
    return str(dtype).removeprefix("torch.")


def traced(values: tuple[object, ...] = ()) -> bool:
    """Whether a compiler or tracer runs the model, with tensors that are none of the training's; `values` are what a
    module is called with, where that is known."""
    if is_compiling() or is_tracing():  # type: ignore[no-untyped-call]
        return True
    return any(type(value) is not torch.Tensor and type(value).__name__ in _FAKE for value in values)


def _dense(tensor: torch.Tensor, tell: Callable[[str], None]) -> torch.Tensor:
    """Of a tensor that is sparse, nested, of another class, or has no values at all."""
    kind = type(tensor).__name__
    if tensor.is_meta or kind in ("FakeTensor", "FunctionalTensor", "UninitializedParameter", "UninitializedBuffer"):
        raise DebuggerTypeError(f"a {'meta tensor' if tensor.is_meta else kind} has no values")
    detached = tensor.detach()
    if hasattr(detached, "to_local"):
        tell("it is spread over several workers; saved is this worker's part")
        return plain(detached.to_local(), tell)
    if detached.is_nested:
        tell("it is nested; saved padded with zeros")
        return detached.to_padded_tensor(0.0)
    if detached.layout is not torch.strided:
        tell(f"it is sparse ({detached.layout}); saved dense")
        return detached.to_dense()
    return detached.as_subclass(torch.Tensor)
