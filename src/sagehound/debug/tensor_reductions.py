"""The reductions of tensors where they are, in as few passes over memory as can be."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def reduce_tensor(tensor: torch.Tensor, names: Sequence[str]) -> torch.Tensor:
    """The reductions of one tensor, in the order of `names`, as a float64 vector on the CPU."""
    return reduce_tensors([tensor], [names])


def reduce_tensors(tensors: Sequence[torch.Tensor], names: Sequence[Sequence[str]]) -> torch.Tensor:
    """The reductions of many tensors, each with its own names, one after the other as a float64 vector on the CPU."""
    raise NotImplementedError
