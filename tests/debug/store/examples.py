"""Steps to save, as a hook would hand them over."""

import torch

from sagehound.debug.store.records import TensorInfo
from sagehound.debug.store.sink import SavedStep

LOSS = TensorInfo(name="CrossEntropyLoss_output_0", kind="loss", saved="scalar", collections=("losses",))


def step(
    number: int,
    arrays: dict[str, torch.Tensor] | None = None,
    loss: float | None = 0.5,
    mode: str = "TRAIN",
    reductions: dict[str, dict[str, float]] | None = None,
) -> SavedStep:
    """A step with these arrays, a loss, and these reductions of tensors that are not saved themselves."""
    arrays, reductions = arrays or {}, reductions or {}
    infos = [
        TensorInfo(name=name, kind="weight", shape=tuple(each.shape), dtype=str(each.dtype).removeprefix("torch."))
        for name, each in arrays.items()
    ]
    infos += [
        TensorInfo(name=name, kind="gradient", shape=(7,), saved="nothing", reductions=tuple(each))
        for name, each in reductions.items()
    ]
    numbers = [value for each in reductions.values() for value in each.values()]
    return SavedStep(
        step=number,
        mode=mode,
        mode_step=number,
        tensors=(*infos, *((LOSS,) if loss is not None else ())),
        arrays=arrays,
        scalars={} if loss is None else {LOSS.name: loss},
        reductions=torch.tensor(numbers, dtype=torch.float64) if numbers else None,
    )
