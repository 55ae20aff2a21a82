"""Which of several processes this is."""

from __future__ import annotations

import os

import torch

_RANKS = (
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    # The hosts of a job whose script distributes nothing: their tensors go to one place.
    ("SM_CURRENT_HOST_RANK", "SM_HOST_COUNT"),
)


def rank_and_size() -> tuple[int, int]:
    """This process's number and how many there are: as torch.distributed says, or what started the processes."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    for rank, size in _RANKS:
        if os.environ.get(rank, "").isdigit() and os.environ.get(size, "").isdigit():
            return int(os.environ[rank]), int(os.environ[size])
    return 0, 1


def worker_name(rank: int) -> str:
    """
    >>> worker_name(1)
    'worker_1'
    """
    return f"worker_{rank}"
