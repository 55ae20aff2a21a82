"""Features: what a frozen backbone makes of each photo."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sagehound.errors import InvalidInput
from sagehound.vision.dataset import Batch, Photo, Skipped, collate
from sagehound.vision.frozen_backbone import FrozenBackbone
from sagehound.vision.precision import Say
from sagehound.vision.seeded_views import SeededView

#: On a CPU larger batches leave the cache; measured with EfficientNet-Lite0 and ResNet-50.
BATCH_SIZE = 16
PROGRESS_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Features:
    """Rows (n, width) and labels (n) of the photos that could be read."""

    rows: Tensor
    labels: Tensor
    skipped: tuple[Skipped, ...]


class Progress:
    """Says now and then how many of `photos` the threads of this process have computed."""

    def __init__(self, photos: int, say: Say) -> None:
        self._photos = photos
        self._say = say
        self._began = self._said = time.monotonic()
        self._computed = 0
        self._lock = threading.Lock()

    @property
    def computed(self) -> int:
        """Photos so far."""
        return self._computed

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def add(self, photos: int) -> None:
        """So many more are computed."""
        with self._lock:
            self._computed += photos
            now = time.monotonic()
            if now - self._said > PROGRESS_EVERY_S:
                self._said = now
                rate = self._computed / (now - self._began)
                self._say(f"Features: {self._computed}/{self._photos} photos, {rate:.0f} a second")


def extract(backbone: FrozenBackbone, view: SeededView, photos: Sequence[Photo], progress: Progress) -> Features:
    """Run the backbone over a view of all photos, on the thread that calls; the rows are empty if none can be read."""
    parts = []
    for start in range(0, len(photos), BATCH_SIZE):
        batch = photos[start : start + BATCH_SIZE]
        parts.append(_features(backbone, collate([view.load(photo) for photo in batch])))
        progress.add(len(batch))
    return joined(parts)


def _features(backbone: FrozenBackbone, batch: Batch) -> Features:
    rows = backbone.rows(batch.images) if len(batch.labels) else torch.empty(0)
    return Features(rows, batch.labels, batch.skipped)


def joined(parts: Iterable[Features]) -> Features:
    """All parts as one, in their order."""
    parts = list(parts)
    read = [part for part in parts if len(part.labels)]
    skipped = tuple(photo for part in parts for photo in part.skipped)
    if not read:
        return Features(torch.empty(0), torch.empty(0, dtype=torch.long), skipped)
    return Features(torch.cat([part.rows for part in read]), torch.cat([part.labels for part in read]), skipped)


def readable(features: Features) -> Features:
    """The same; InvalidInput where not one photo could be read."""
    if len(features.labels):
        return features
    first = f"{features.skipped[0].path}: {features.skipped[0].reason}"
    raise InvalidInput(f"none of the {len(features.skipped)} photos can be read; the first: {first}")
