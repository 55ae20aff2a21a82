"""Views of a photo that are the same in every run: the photo as served, its mirror image, then random parts of it.

What is random in them is drawn from the photo's content and the number of the view alone: not from the run's seed,
the order of the photos, or the thread that is at it. So all trials of a search share them, whatever their seeds.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from sagehound.vision.crops import least_side_of_crops, random_box
from sagehound.vision.dataset import Loaded, Photo, Skipped
from sagehound.vision.inference import BadImage, Transform, normalised, read_image, resampled

PLAIN, MIRRORED = 0, 1


@dataclass(frozen=True)
class SeededView:
    """View `number` of photos: 0 is exactly `transform`, 1 that from left to right, others are random parts of 35 to
    100 % of the area, half of them mirrored. `config` is the transform as data."""

    number: int
    transform: Transform
    config: dict[str, Any]

    def load(self, photo: Photo) -> Loaded:
        """The label and (3, height, width), normalised, or why there is none."""
        try:
            return photo.label, self.seen(photo.path.read_bytes())
        except (BadImage, OSError) as error:
            return photo.label, Skipped(photo.path, str(error))

    def seen(self, data: bytes) -> Tensor:
        """The view of the photo that is encoded in `data`; BadImage where it is broken."""
        if self.number in (PLAIN, MIRRORED):
            whole = self.transform(read_image(data, self.transform.least_side))
            return whole.flip(-1) if self.number == MIRRORED else whole
        chance = random.Random(hashlib.sha256(f"{self.number} ".encode() + data).digest())
        image = read_image(data, least_side_of_crops(self.config))
        part = resampled(image, random_box(image.size, chance), self.config)
        return normalised(part.flip(-1) if chance.random() < 0.5 else part, self.config)
