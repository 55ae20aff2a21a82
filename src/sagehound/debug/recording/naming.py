"""How the tensors of a model are called, and what kind each of them is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from sagehound.debug.store.records import Kind

GRADIENT = "gradient/"
SCALAR = "scalar/"
OPTIMIZER = "optimizer/"


def parameter_kind(name: str) -> Kind:
    """By the last part of its name.

    >>> parameter_kind("layer1.0.weight"), parameter_kind("rnn.bias_hh_l0"), parameter_kind("alpha")
    ('weight', 'bias', 'parameter')
    """
    last = name.rpartition(".")[2]
    if "weight" in last:
        return "weight"
    return "bias" if "bias" in last else "parameter"


def tensors_in(value: Any) -> Iterator[torch.Tensor]:  # noqa: ANN401 - whatever a module takes or gives
    """The tensors within a module's arguments or outputs, in order: lists, tuples, dicts and dataclasses are opened.

    >>> [t.item() for t in tensors_in({"logits": torch.tensor(1.0), "rest": [torch.tensor(2.0), None, "x"]})]
    [1.0, 2.0]
    """
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from tensors_in(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from tensors_in(one)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from tensors_in(getattr(value, field.name))
    elif isinstance(getattr(value, "data", None), torch.Tensor) and hasattr(value, "batch_sizes"):
        yield value.data


def unwrapped(module: torch.nn.Module) -> torch.nn.Module:
    """The user's own model within what distributes or compiles it, so that a tensor is called the same everywhere."""
    while True:
        inner = getattr(module, "_orig_mod", None)
        if inner is None and type(module).__name__ in ("DataParallel", "DistributedDataParallel"):
            inner = getattr(module, "module", None)
        if not isinstance(inner, torch.nn.Module):
            return module
        module = inner
