"""Labels and predictions that a loss was given, over as many saved steps as it takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from sagehound.debug.judging.statistics import read
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial, matching

Array = np.ndarray
#: The hook hashes so many samples of a batch: a batch of that many may be larger.
_HASHED = 256


def labels_of(trial: Trial, step: int, wanted: Sequence[str] = (), collection: str = "labels") -> TensorInfo | None:
    """The labels saved at a step: of the collection, by name or pattern; else what a loss was given second."""
    return _found(trial, step, wanted, collection, "_input_1")


def predictions_of(
    trial: Trial, step: int, wanted: Sequence[str] = (), collection: str = "predictions"
) -> TensorInfo | None:
    """The predictions saved at a step: of the collection, by name or pattern; else what a loss was given first."""
    return _found(trial, step, wanted, collection, "_input_0")


def of_steps(
    trial: Trial, steps: Iterable[int], labels: TensorInfo, predictions: TensorInfo | None
) -> tuple[Array, Array]:
    """The labels and predicted classes of all samples of these steps, flat; no predictions: an empty array."""
    all_labels, all_predictions = [], []
    for step in steps:
        names = {info.name: info for info in trial.infos(step)}
        array = read(trial, labels.name, step) if labels.name in names else None
        if array is None:
            continue
        found = read(trial, predictions.name, step) if predictions is not None and predictions.name in names else None
        all_labels.append(array.reshape(-1))
        all_predictions.append(classes(found, array) if found is not None else np.empty(0, np.int64))
    empty = np.empty(0, np.int64)
    return np.concatenate([empty, *all_labels]), np.concatenate([empty, *all_predictions])


def classes(predictions: Array, labels: Array) -> Array:
    """Which class each sample was predicted to be in, flat.

    With one dimension more than the labels, the second holds a score for each class (`nn.CrossEntropyLoss`) and the
    highest counts. Else they are classes already, or scores of one class, where more than a half means yes, or more
    than 0 where some lie outside 0 to 1.
    """
    if predictions.ndim == labels.ndim + 1:
        return np.asarray(predictions.argmax(axis=1)).reshape(-1)
    flat = predictions.reshape(-1)
    if np.issubdtype(flat.dtype, np.integer):
        return flat
    logits = flat.size > 0 and (flat.min() < 0 or flat.max() > 1)
    if logits and np.array_equal(flat, np.round(flat)) and flat.min() >= 0:
        return flat.astype(np.int64)
    return (flat > (0 if logits else 0.5)).astype(np.int64)


def many_a_sample(trial: Trial, step: int, labels: TensorInfo) -> bool:
    """Whether labels are those of pixels or tokens: more than there are samples, as far as is known."""
    samples, count = len(trial.facts(step).samples), math.prod(labels.shape)
    return len(labels.shape) > 2 or (0 < samples < _HASHED and count > samples)


def whole(labels: Array) -> bool:
    """Whether labels name classes: whole numbers from 0 on.

    >>> whole(np.array([0.0, 1.0])), whole(np.array([0.5])), whole(np.array([-1, 2]))
    (True, False, False)
    """
    return labels.size > 0 and bool(
        np.isfinite(labels).all() and labels.min() >= 0 and (labels == np.round(labels)).all()
    )


def _found(trial: Trial, step: int, wanted: Sequence[str], collection: str, suffix: str) -> TensorInfo | None:
    infos = trial.infos(step)
    by_name = matching((info.name for info in infos), list(wanted)) if wanted else set()
    chosen = [info for info in infos if info.name in by_name or (collection and collection in info.collections)]
    # A collection may hold all inputs of a loss: there the place tells predictions from labels.
    of_losses = [info for info in infos if info.kind == "loss_input" and info.name.endswith(suffix)]
    fitting = [info for info in chosen if info.kind != "loss_input" or info in of_losses]
    return next(iter((*fitting, *of_losses)), None)
