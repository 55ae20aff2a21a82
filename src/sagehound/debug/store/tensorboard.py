"""Saved steps as TensorBoard has them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from tensorboardX import SummaryWriter

from sagehound.debug.store.records import TensorInfo
from sagehound.debug.store.sink import SavedStep

#: Collections of numbers, of which a histogram would tell nothing.
_NUMBERS = ("losses", "metrics", "sm_metrics")
#: Collections that say little of a tensor; any other names its histogram first.
_WIDE = ("all", "default")
#: A step's figures are on the board within so many seconds.
_FLUSH_S = 10


class TensorBoardExport:
    """Writes each step's numbers as scalars and its arrays as histograms, for the writer's thread.

    As the original debugger does: a run for each mode (a folder TRAIN, EVAL, ...), the global step as the axis, a
    scalar under its tensor's name, a histogram under `<collection>/<tensor>`. The collection is the tensor's first one
    that has histograms (`save_histogram`), `all` and `default` last; `without` names those that have none. Of values
    that are not finite only the others are counted; booleans, complex numbers and what was saved as reductions only
    have no histogram.
    """

    def __init__(self, folder: str | Path, worker: str = "worker_0", without: Collection[str] = ()) -> None:
        self._folder = Path(folder)
        self._worker = worker
        self._without = {*_NUMBERS, *without}
        self._writers: dict[str, Any] = {}

    def write(self, step: SavedStep, at: float) -> None:
        """Add one step, saved `at` seconds since the epoch."""
        writer = self._writer(step.mode)
        for info in step.tensors:
            if info.name in step.scalars:
                writer.add_scalar(info.name, step.scalars[info.name], step.step, walltime=at)
            elif info.name in step.arrays:
                tag, values = self._tag(info), _countable(step.arrays[info.name])
                if tag and values is not None:
                    writer.add_histogram(tag, values.numpy(), step.step, walltime=at)

    def close(self) -> None:
        """Flush what is still held back."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, mode: str) -> Any:  # noqa: ANN401 - tensorboardX has no types
        if mode not in self._writers:
            self._writers[mode] = SummaryWriter(
                str(self._folder / mode), flush_secs=_FLUSH_S, filename_suffix=f".{self._worker}"
            )
        return self._writers[mode]

    def _tag(self, info: TensorInfo) -> str:
        """The histogram's name; "" where there is to be none."""
        names = [name for name in info.collections if name not in self._without]
        names.sort(key=lambda name: name in _WIDE)
        return f"{names[0]}/{info.name}" if names else ""


def _countable(tensor: torch.Tensor) -> torch.Tensor | None:
    if tensor.dtype is torch.bool or tensor.is_complex():
        return None
    values = tensor.detach().to(torch.float64).reshape(-1)
    values = values[values.isfinite()]
    return values if values.numel() else None
