"""Batches of photos, made by threads.

Decoding, resampling and reading let other threads run, so threads do what worker processes are used for elsewhere,
without copying each batch between processes. What a photo looks like depends on the seed, the epoch and its place
alone: the batches are the same bit for bit, whatever the number of threads.

Beside a network on the CPU nothing is made ahead: all cores make a batch, then all cores learn from it. A thread that
reads while they learn takes a core from one of them, and the others wait for that one at the end of each operation.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sagehound.vision.dataset import Batch, Loaded, Photo, Skipped
from sagehound.vision.image_cache import Decoded
from sagehound.vision.inference import normalised
from sagehound.vision.views import View


class Batches:
    """`photos` as `view` shows them; `decode(place)` gives what the view keeps of each, `config` normalises them.

    `threads` (0: the caller's own) make the batch that is asked for and up to `ahead` of the next ones.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        view: View,
        decode: Callable[[int], Decoded],
        config: dict[str, Any],
        threads: int,
        ahead: int = 0,
    ) -> None:
        self._photos = photos
        self._view = view
        self._decode = decode
        self._config = config
        self._threads = threads
        self._ahead = ahead

    def in_order(self, size: int, seed: str = "") -> Iterator[Batch]:
        """All photos, `size` at a time."""
        return self._made(range(len(self._photos)), size, seed)

    def shuffled(self, size: int, order: torch.Generator, seed: str) -> Iterator[Batch]:
        """All photos in the order that the generator draws; `seed` is that of the random views."""
        return self._made(torch.randperm(len(self._photos), generator=order).tolist(), size, seed)

    def _made(self, order: Sequence[int], size: int, seed: str) -> Iterator[Batch]:
        groups = [order[start : start + size] for start in range(0, len(order), size)]
        if not self._threads:
            for group in groups:
                yield self._batch([self._loaded(seed, place) for place in group])
            return
        waiting: deque[list[Future[Loaded]]] = deque()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="photos") as pool:
            try:
                for group in groups:
                    waiting.append([pool.submit(self._loaded, seed, place) for place in group])
                    if len(waiting) > self._ahead:
                        yield self._batch([future.result() for future in waiting.popleft()])
                while waiting:
                    yield self._batch([future.result() for future in waiting.popleft()])
            finally:
                pool.shutdown(cancel_futures=True)

    def _loaded(self, seed: str, place: int) -> Loaded:
        kept = self._decode(place)
        seen = kept if isinstance(kept, Skipped) else self._view.seen(kept, random.Random(f"{seed} {place}"))
        return self._photos[place].label, seen

    def _batch(self, loaded: Sequence[Loaded]) -> Batch:
        """`images` has no rows when all of them are broken."""
        kept = [(label, image) for label, image in loaded if isinstance(image, Tensor)]
        images = _stacked([image for _, image in kept]) if kept else torch.empty(0)
        # Here and not in the threads: torch divides it between the cores.
        return Batch(
            normalised(images, self._config) if images.dtype == torch.uint8 else images,
            torch.tensor([label for label, _ in kept], dtype=torch.long),
            tuple(image for _, image in loaded if isinstance(image, Skipped)),
        )


def _stacked(images: list[Tensor]) -> Tensor:
    """(n, 3, height, width), channels last in memory."""
    return torch.from_numpy(np.stack([image.permute(1, 2, 0).numpy() for image in images])).permute(0, 3, 1, 2)
