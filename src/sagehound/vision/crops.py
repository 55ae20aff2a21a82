"""The random crops that training learns from."""

from __future__ import annotations

import math
import random
from typing import Any

from sagehound.vision.inference import Box

#: The least part of the photo's area, and the most that a side may exceed the other.
LEAST_AREA, MOST_RATIO = 0.35, 4 / 3


def least_side_of_crops(transform: dict[str, Any]) -> int:
    """How many pixels a photo's shorter side must have for the smallest crop to fill the network's input."""
    size: int = max(transform["input_size"][1:])
    return math.ceil(size / math.sqrt(LEAST_AREA / MOST_RATIO))


def random_box(size: tuple[int, int], chance: random.Random) -> Box:
    """A part of a photo of `size` (width, height) as torchvision's RandomResizedCrop draws it: area and the logarithm
    of the ratio uniform."""
    width, height = size
    for _ in range(10):
        area = width * height * chance.uniform(LEAST_AREA, 1.0)
        ratio = math.exp(chance.uniform(-math.log(MOST_RATIO), math.log(MOST_RATIO)))
        wide, tall = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if wide <= width and tall <= height:
            left, top = chance.uniform(0, width - wide), chance.uniform(0, height - tall)
            return left, top, left + wide, top + tall
    # No such part fits into a photo as long as this one: its middle.
    wide, tall = min(width, height * MOST_RATIO), min(height, width * MOST_RATIO)
    left, top = (width - wide) / 2, (height - tall) / 2
    return left, top, left + wide, top + tall
