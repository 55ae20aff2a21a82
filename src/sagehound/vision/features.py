"""Features: what a frozen backbone makes of each photo."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sagehound.errors import InvalidInput
from sagehound.vision.dataset import Batch, Photos, Skipped, collate

#: On a CPU larger batches leave the cache; measured with EfficientNet-Lite0 and ResNet-50.
BATCH_SIZE = 16
PROGRESS_EVERY_S = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Features:
    """Rows (n, width) and labels (n) of the photos that could be read."""

    rows: Tensor
    labels: Tensor
    skipped: tuple[Skipped, ...]


class Progress:
    """Says now and then how many of `photos` this process has computed."""

    def __init__(self, photos: int, say: Say) -> None:
        self._photos = photos
        self._say = say
        self._began = self._said = time.monotonic()
        self._computed = 0

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
        self._computed += photos
        now = time.monotonic()
        if now - self._said > PROGRESS_EVERY_S:
            self._said = now
            rate = self._computed / (now - self._began)
            self._say(f"Features: {self._computed}/{self._photos} photos, {rate:.0f} a second")


def pooled(network: nn.Module, images: Tensor) -> Tensor:
    """What the network's last linear layer takes in: (n, width)."""
    rows: Tensor = network.forward_head(network.forward_features(images), pre_logits=True)  # type: ignore[operator]
    return rows


def extract(network: nn.Module, photos: Photos, threads: int, device: torch.device, progress: Progress) -> Features:
    """Run the network in eval mode over all photos; the rows are empty if none can be read.

    Each thread takes whole batches, with one core each. Next to threads within each operation that is faster for small
    networks, does not suffer from busy neighbours, and the result does not depend on how many threads there are.
    """
    network.eval().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    starts = range(0, len(photos), BATCH_SIZE)
    threads_before = torch.get_num_threads()

    @torch.inference_mode()
    def batch(start: int) -> Features:
        made = collate([photos[place] for place in range(start, min(start + BATCH_SIZE, len(photos)))])
        return _features(network, made, device)

    parts = []
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for start, part in zip(starts, pool.map(batch, starts), strict=True):
            parts.append(part)
            progress.add(min(BATCH_SIZE, len(photos) - start))
    torch.set_num_threads(threads_before)
    return joined(parts)


def _features(network: nn.Module, batch: Batch, device: torch.device) -> Features:
    if not len(batch.labels):
        return Features(torch.empty(0), batch.labels, batch.skipped)
    images = batch.images.to(device).contiguous(memory_format=torch.channels_last)
    return Features(pooled(network, images).float().cpu(), batch.labels, batch.skipped)


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
