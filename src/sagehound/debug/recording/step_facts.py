"""What is noticed at a saved step beside its tensors."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import torch

from sagehound.debug.recording.naming import tensors_in
from sagehound.debug.recording.root import Root
from sagehound.debug.store.records import Facts, written

#: Of a batch's samples so many are hashed, from so many words each (and the sum of all of them).
_SAMPLES = 256
_WORDS = 1024
#: Labels and predictions beyond that are not looked at whole.
_LABELS = 1 << 22
_PREDICTIONS = 1 << 16
_DISTINCT_RANGE = 1 << 16
_MASK = (1 << 53) - 1
#: Operations that give a tensor another shape or type, by the names of their gradient functions; so many are seen
#: through.
_SHAPES = ("View", "UnsafeView", "Reshape", "Squeeze", "Unsqueeze", "Select", "Slice", "ToCopy", "Permute", "Transpose")
_HOPS = 5


class StepFacts:
    """Gathers the facts of one step. What is on another device stays there until `done`."""

    def __init__(self, root: Root | None, optimizer_steps: int = 0) -> None:
        self._optimizer_steps = optimizer_steps
        self._training = root.module.training if root else None
        self._flags = root.flags() if root else (0, 0, 0, 0)
        self._grad_enabled = torch.is_grad_enabled()
        self._backward = False
        self._watched = False
        self._samples: torch.Tensor | np.ndarray | None = None
        self._labels: torch.Tensor | None = None
        self._sums: torch.Tensor | np.bool_ | None = None
        self._classes: int | None = None
        self._ignored: int | None = None
        self._made_by = ""
        self._loss = ""
        self._rates: dict[int, tuple[float, ...]] = {}
        self._clip: tuple[torch.Tensor | float, float] | None = None

    def forward(self, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:  # noqa: ANN401
        """The root was called."""
        if self._samples is None:
            self._samples = next(
                (sample_hashes(x) for x in tensors_in((args, kwargs)) if x.ndim and x.numel() and not x.is_meta), None
            )
        self._watch(output)

    def loss(self, name: str, inputs: tuple[Any, ...], output: Any, ignored: int | None = None) -> None:  # noqa: ANN401
        """A loss was computed, or raised; the labels of the step's first one count. Those that are `ignored` do not."""
        self._watch(output)
        if self._loss:
            return
        self._loss = name
        tensors = [one for one in inputs if isinstance(one, torch.Tensor)]
        if len(tensors) < 2 or tensors[0].is_meta:
            return
        self._ignored, self._made_by = ignored, made_by(tensors[0])
        predictions, labels = tensors[0].detach(), tensors[1].detach()
        if not (labels.is_floating_point() or labels.is_complex()) and 0 < labels.numel() <= _LABELS:
            self._labels = labels
        if name in ("CrossEntropyLoss", "NLLLoss") or self._labels is not None:
            self._classes = predictions.shape[1] if predictions.ndim > 1 else None
        if predictions.ndim > 1 and predictions.shape[1] > 1 and predictions.is_floating_point():
            self._sums = _sums_to_one(predictions)

    def backward(self, _: object = None) -> None:
        """A backward came by."""
        self._backward = True

    def learning_rates(self, optimizer: int, rates: tuple[float, ...]) -> None:
        """An optimizer takes its step with those."""
        self._rates[optimizer] = rates

    def clipped(self, norm: torch.Tensor | float, limit: float) -> None:
        """The gradients had that norm before they were clipped."""
        self._clip = (norm, limit)

    def done(self, rates: tuple[float, ...]) -> Facts:
        """`rates` are those known where no optimizer took a step."""
        dropouts, dropouts_on, norms, norms_on = self._flags
        low, high, distinct = _label_range(self._labels, self._ignored)
        return Facts(
            training=self._training,
            grad_enabled=self._grad_enabled,
            backward=self._backward,
            dropouts=dropouts,
            dropouts_training=dropouts_on,
            norms=norms,
            norms_training=norms_on,
            learning_rates=sum(self._rates.values(), ()) or rates,
            clip_norm=written(float(self._clip[0])) if self._clip else None,
            clip_limit=self._clip[1] if self._clip else None,
            labels_min=low,
            labels_max=high,
            labels_distinct=distinct,
            classes=self._classes,
            loss=self._loss,
            ignore_index=self._ignored,
            loss_input_made_by=self._made_by,
            loss_input_sums_to_one=None if self._sums is None else bool(self._sums),
            samples=() if self._samples is None else tuple(self._samples.tolist()),
            optimizer_steps=self._optimizer_steps,
        )

    def _watch(self, output: Any) -> None:  # noqa: ANN401
        """Notice a backward through that."""
        if self._watched or self._backward:
            return
        for tensor in tensors_in(output):
            if tensor.requires_grad:
                tensor.register_hook(self.backward)  # type: ignore[no-untyped-call]
                self._watched = True
                return


def sample_hashes(batch: torch.Tensor) -> torch.Tensor | np.ndarray:
    """A hash of up to 53 bits for each sample (along the first dimension): equal samples have equal ones, in every
    process. Long samples are hashed by the sum of all their words and by 1,024 of them, evenly spread."""
    rows = batch.detach()
    if rows.layout is not torch.strided or rows.is_quantized:
        rows = rows.to_dense()
    rows = torch.view_as_real(rows.resolve_conj()) if rows.is_complex() else rows
    rows = rows[:_SAMPLES].reshape(min(len(rows), _SAMPLES), -1)
    words = _words(rows)
    stride = -(-words.shape[1] // _WORDS)
    some = words[:, ::stride]
    if words.device.type == "cpu":
        # The same by NumPy, whose calls cost a third of torch's.
        found: np.ndarray = some.numpy().astype(np.int64, copy=False) @ _weights().numpy()[: some.shape[1]]
        if stride > 1:
            found += words.numpy().sum(1, dtype=np.int64) * int(_weights()[-1])
        found &= _MASK
        return found
    weights = _weights().to(words.device, non_blocking=True)
    hashes = (some * weights[: some.shape[1]]).sum(1)
    if stride > 1:
        hashes = hashes + words.sum(1) * int(_weights()[-1])
    return hashes & _MASK


def _words(rows: torch.Tensor) -> torch.Tensor:
    size = rows.shape[1] * rows.element_size()
    word = torch.int64 if size % 8 == 0 else torch.int32 if size % 4 == 0 else torch.uint8
    rows = rows.contiguous()
    if rows.data_ptr() % 8 or rows.storage_offset() * rows.element_size() % 8:
        rows = rows.clone()
    return rows.view(torch.uint8 if rows.dtype is torch.bool else word).view(word)


@cache
def _weights() -> torch.Tensor:
    """Odd numbers, the same everywhere; torch's own random numbers are left alone."""
    return torch.from_numpy(np.random.default_rng(0).integers(1 << 62, size=_WORDS + 1) | 1)


def _sums_to_one(predictions: torch.Tensor) -> torch.Tensor | np.bool_ | None:
    """Whether the predictions (classes along dimension 1) are probabilities; of the first samples, where they are many;
    None where one sample alone is too large."""
    each = predictions[0].numel() if len(predictions) else 0
    if not 0 < each <= _PREDICTIONS:
        return None
    some = predictions[: max(1, _PREDICTIONS // each)]
    if some.device.type == "cpu" and some.layout is torch.strided and some.dtype in (torch.float32, torch.float64):
        values = some.numpy()
        with np.errstate(all="ignore"):
            return np.bool_(abs(values.sum(1, dtype=np.float32) - 1).max() < 1e-2 and values.min() >= 0)
    off = (some.sum(1, dtype=torch.float32) - 1).abs().amax()
    return (off < 1e-2) & (some.amin() >= 0)


def made_by(predictions: torch.Tensor) -> str:
    """ "sigmoid" where a tensor comes straight from one, by its gradient function; "" for anything else, and where no
    gradient is recorded."""
    function = predictions.grad_fn
    for _ in range(_HOPS):
        name = function.name() if function is not None else ""
        if function is None or not name.startswith(_SHAPES):
            return "sigmoid" if name.startswith("Sigmoid") else ""
        function = function.next_functions[0][0] if function.next_functions else None
    return ""


def _label_range(labels: torch.Tensor | None, ignored: int | None) -> tuple[int | None, int | None, int | None]:
    """The least label, the greatest, and how many different ones there are (None where they are spread too far)."""
    if labels is None:
        return None, None, None
    flat = labels.cpu().numpy().reshape(-1).astype(np.int64, copy=False)
    if ignored is not None:
        flat = flat[flat != ignored]
    if not flat.size:
        return None, None, None
    low, high = int(flat.min()), int(flat.max())
    if high - low > _DISTINCT_RANGE:
        return low, high, None
    return low, high, int(np.count_nonzero(np.bincount(flat - low)))


def rates_of(optimizers: Iterable[torch.optim.Optimizer]) -> tuple[float, ...]:
    """One number a parameter group, of all of them."""
    return tuple(float(group.get("lr", 0.0)) for optimizer in optimizers for group in optimizer.param_groups)
