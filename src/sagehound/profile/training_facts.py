"""The settings of a training that findings are made of, as its process has them.

Names: "torch" (version), "torch_threads", "torch_interop_threads", "loader_workers", "batch_size", "loader_pin_memory",
"persistent_workers", "prefetch_factor" (the loader that trained last), "device" (of the model: "cpu", "cuda"),
"device_name", "parameters" (how many values), "parameter_dtype", "input_dtype", "input_shape" ("16x3x224x224"),
"memory_format" ("channels_last" or "contiguous", of four-dimensional inputs), "autocast" ("off", "bfloat16",
"float16": when the model is called), "compiled" (0 or 1), "convolutions" (how many), "cudnn_benchmark" and
"tf32" (0 or 1, on CUDA), "processes" (of torch.distributed). Absent where not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

Facts = dict[str, str | float]


def of_torch() -> Facts:
    return {
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
        "torch_interop_threads": torch.get_num_interop_threads(),
    }


def of_loader(loader: Any) -> Facts:  # noqa: ANN401 - a DataLoader
    """`batch_size` is the sampler's where the loader has one of its own."""
    size = loader.batch_size or getattr(getattr(loader, "batch_sampler", None), "batch_size", None)
    found: Facts = {
        "loader_workers": loader.num_workers,
        "loader_pin_memory": int(bool(loader.pin_memory)),
        "persistent_workers": int(bool(loader.persistent_workers)),
    }
    if isinstance(size, int):
        found["batch_size"] = size
    if isinstance(loader.prefetch_factor, int):
        found["prefetch_factor"] = loader.prefetch_factor
    return found


def of_call(module: torch.nn.Module, args: tuple[Any, ...]) -> Facts:
    """A model, and what it is called with, just before it is."""
    parameters = list(module.parameters())
    found: Facts = {
        "parameters": sum(p.numel() for p in parameters if not torch.nn.parameter.is_lazy(p)),
        "convolutions": sum(isinstance(one, torch.nn.modules.conv._ConvNd) for one in module.modules()),
        "compiled": int(hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None),
    }
    device = parameters[0].device if parameters else torch.device("cpu")
    found |= {"device": device.type, "autocast": _autocast(device.type)}
    if parameters:
        found["parameter_dtype"] = _name(parameters[0].dtype)
    if device.type == "cuda":
        found |= _of_cuda(device)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        found["processes"] = torch.distributed.get_world_size()
    for tensor in _tensors(args):
        found |= _of_input(tensor)
        break
    return found


def _of_input(tensor: torch.Tensor) -> Facts:
    found: Facts = {"input_dtype": _name(tensor.dtype), "input_shape": "x".join(map(str, tensor.shape))}
    if tensor.dim() == 4:
        channels_last = tensor.is_contiguous(memory_format=torch.channels_last) and not tensor.is_contiguous()
        found["memory_format"] = "channels_last" if channels_last else "contiguous"
    return found


def _of_cuda(device: torch.device) -> Facts:
    return {
        "device_name": torch.cuda.get_device_name(device),
        "cudnn_benchmark": int(torch.backends.cudnn.benchmark),
        "tf32": int(torch.backends.cuda.matmul.allow_tf32),
    }


def _autocast(device: str) -> str:
    if hasattr(torch, "get_autocast_dtype"):
        return _name(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else "off"
    if device == "cpu":
        return _name(torch.get_autocast_cpu_dtype()) if torch.is_autocast_cpu_enabled() else "off"
    return _name(torch.get_autocast_gpu_dtype()) if torch.is_autocast_enabled() else "off"


def _tensors(value: Any) -> Iterator[torch.Tensor]:  # noqa: ANN401
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _tensors(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
