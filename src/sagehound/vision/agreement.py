"""Whether bf16 will do for a frozen backbone: how fast it is there, and how far it would move accuracy.

The features of a sample of the training's own photos are computed in fp32 and in bf16. A linear head learns from the
bf16 ones of most of them, as the training will, and is asked about the others twice: with their bf16 features, as the
training tests it, and with their fp32 ones, as the exported model sees them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from sagehound.errors import InvalidInput
from sagehound.vision.dataset import Photo, collate
from sagehound.vision.features import BATCH_SIZE
from sagehound.vision.frozen_backbone import FrozenBackbone
from sagehound.vision.precision import Comparison, expected_move
from sagehound.vision.seeded_views import SeededView

SAMPLE = 4 * BATCH_SIZE
#: With fewer photos to compute, a measurement takes longer than it can save.
WORTH_PHOTOS = 500
_PARTS = 8
#: Of the ridge regression, as a part of the features' own scale.
_PENALTY = 1.0


def sample(photos: Sequence[Photo]) -> list[Photo]:
    """At most `SAMPLE` of `photos`, evenly over the classes as they are sorted by class."""
    count = min(SAMPLE, len(photos))
    return [photos[place * len(photos) // count] for place in range(count)]


def compare(fp32: FrozenBackbone, bf16: FrozenBackbone, view: SeededView, photos: Sequence[Photo]) -> Comparison:
    """bf16 beside fp32 on the photos of a `sample`. InvalidInput where none can be read.

    On all cores, whatever the run's share of them: its neighbours wait for the outcome.
    """
    batches = [photos[start : start + BATCH_SIZE] for start in range(0, len(photos), BATCH_SIZE)]
    both = (fp32, bf16)

    def batch(some: Sequence[Photo]) -> tuple[list[Tensor], list[float], Tensor]:
        made = collate([view.load(photo) for photo in some])
        if not len(made.labels):
            return [torch.empty(0)] * 2, [0.0] * 2, made.labels
        rows, seconds = [], []
        for backbone in both:
            began = time.perf_counter()
            rows.append(backbone.rows(made.images))
            seconds.append(time.perf_counter() - began)
        return rows, seconds, made.labels

    for backbone in both:
        backbone.prepare()
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(_cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            parts = list(pool.map(batch, batches))
    finally:
        torch.set_num_threads(threads)
    if not any(len(part[2]) for part in parts):
        raise InvalidInput(f"none of {len(photos)} photos can be read, from {photos[0].path} to {photos[-1].path}")
    rows32, rows16 = (torch.cat([part[0][which] for part in parts if len(part[2])]) for which in (0, 1))
    fp32_s, bf16_s = (sum(part[1][which] for part in parts) for which in (0, 1))
    labels = torch.cat([part[2] for part in parts])
    return Comparison(fp32_s, bf16_s, changed(rows16, rows32, labels))


def changed(rows: Tensor, served: Tensor, labels: Tensor) -> float:
    """How far accuracy (0 to 1) is expected to move where a head that learned from `rows` (n, width) sees `served` of
    the same photos instead."""
    mean, deviation = rows.mean(0), rows.std(0).clamp(min=1e-6)
    known, seen = ((each - mean) / deviation for each in (rows, served))
    targets = torch.nn.functional.one_hot(labels, max(2, int(labels.max()) + 1)).float()
    logits, others = (torch.empty_like(targets) for _ in range(2))
    places = torch.arange(len(rows))
    for part in range(_PARTS):
        asked, learned = places[part::_PARTS], places[places % _PARTS != part]
        weight = _ridge(known[learned], targets[learned])
        logits[asked], others[asked] = known[asked] @ weight, seen[asked] @ weight
    return expected_move(_margins(logits, labels), _margins(others, labels))


def _margins(logits: Tensor, labels: Tensor) -> Tensor:
    right = logits.gather(1, labels[:, None])[:, 0]
    return right - logits.scatter(1, labels[:, None], -torch.inf).amax(1)


def _ridge(rows: Tensor, targets: Tensor) -> Tensor:
    """The weights (width, classes) of ridge regression, by its dual: there are fewer photos than features."""
    gram = rows @ rows.T
    gram += _PENALTY * gram.diagonal().mean() * torch.eye(len(gram))
    weight: Tensor = rows.T @ torch.linalg.solve(gram, targets)
    return weight


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
