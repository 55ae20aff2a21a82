"""A folder of tensors as a hook writes it, without a training."""

from __future__ import annotations

from pathlib import Path

import torch

from sagehound.debug.store.records import CollectionInfo, Run, TensorInfo
from sagehound.debug.store.sink import SavedStep
from sagehound.debug.store.writer import FolderSink

GRADIENT = TensorInfo(
    name="gradient/Net_fc.weight",
    kind="gradient",
    module="fc",
    module_type="Linear",
    shape=(2, 3),
    collections=("gradients",),
)
LOSS = TensorInfo(name="CrossEntropyLoss_output_0", kind="loss", collections=("losses",), saved="scalar")
COLLECTIONS = (CollectionInfo(name="gradients", include_regex=("^gradient",)), CollectionInfo(name="losses"))


class FolderRun:
    """Writes one gradient, all of the same value, and a loss, every 10 steps."""

    def __init__(self, folder: Path, worker: str = "worker_0", workers: int = 1) -> None:
        self.sink = FolderSink(folder, worker, workers, Run(collections=COLLECTIONS))
        self.step = 0

    def save(self, gradient: float = 1.0, loss: float = 0.5) -> int:
        saved = self.step
        self.step += 10
        self.sink.write(
            SavedStep(
                step=saved,
                mode="TRAIN",
                mode_step=saved,
                tensors=(GRADIENT, LOSS),
                arrays={GRADIENT.name: torch.full((2, 3), gradient)},
                scalars={LOSS.name: loss},
            )
        )
        return saved

    def close(self) -> None:
        self.sink.close({"TRAIN": self.step, "GLOBAL": self.step})
