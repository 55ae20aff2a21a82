"""A step's tensors as a safetensors file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from sagehound.debug.store import header

#: Puts buffers of bytes, one after the other, into a new file.
WriteFile = Callable[[Path, Sequence[memoryview]], None]

_WORDS = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
    torch.complex64: "C64",
}
# Older versions of torch have no unsigned types beside uint8.
_WORDS |= {getattr(torch, f"uint{n}"): f"U{n}" for n in (16, 32, 64) if hasattr(torch, f"uint{n}")}
#: Buffers that one call may write (IOV_MAX of Linux).
_AT_ONCE = 1024


def pieces(tensors: Mapping[str, torch.Tensor]) -> list[memoryview]:
    """The file's content: the header, then views of the tensors' own memory, nothing copied.

    A tensor that stands there under several names is written once. A type that the format lacks (quantized, a rarer
    float8) is widened to float32, complex128 is split into real and imaginary part (see header.py). The larger types
    come first, which keeps every array aligned.
    """
    first: dict[int, str] = {}
    same = {name: known for name, one in tensors.items() if (known := first.setdefault(id(one), name)) != name}
    ready = [(name, _plain(tensor)) for name, tensor in tensors.items() if name not in same]
    ready.sort(key=lambda item: -item[1].element_size())
    entries, buffers, at = {}, [], 0
    for name, tensor in ready:
        size = tensor.nbytes
        entries[name] = header.Entry(_WORDS[tensor.dtype], tuple(tensor.shape), (at, at + size))
        at += size
        if size:
            # A contiguous tensor of one element may have any stride, which view() does not like.
            buffers.append(tensor.as_strided((tensor.numel(),), (1,)).view(torch.uint8).numpy().data)
    split = [name for name, tensor in tensors.items() if tensor.dtype is torch.complex128]
    return [memoryview(header.encode(entries, split, same)), *buffers]


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    tensor = tensor.detach()
    if tensor.is_complex():
        tensor = tensor.resolve_conj()
    if tensor.is_neg():
        tensor = tensor.resolve_neg()
    if tensor.dtype is torch.complex128:
        tensor = torch.view_as_real(tensor)
    elif tensor.is_quantized:
        tensor = tensor.dequantize()
    elif tensor.dtype not in _WORDS:
        tensor = tensor.to(torch.float32)
    return tensor.contiguous()


def write_file(path: Path, buffers: Sequence[memoryview]) -> None:
    """Write a new file by as few calls as can be; the kernel takes the bytes from where they are."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        for start in range(0, len(buffers), _AT_ONCE):
            _write_all(descriptor, buffers[start : start + _AT_ONCE])
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, buffers: Sequence[memoryview]) -> None:
    written = os.writev(descriptor, buffers)
    for buffer in buffers:
        if written >= buffer.nbytes:
            written -= buffer.nbytes
            continue
        # The kernel took less than all (2 GiB at most, or a disk that is all but full): go on from there.
        view, written = buffer[written:], 0
        while view.nbytes:
            view = view[os.write(descriptor, view) :]
