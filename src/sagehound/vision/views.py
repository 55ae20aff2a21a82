"""What the network is shown of a photo: its middle, as served; or, to learn from, a random part, mirrored or not."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import PIL
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sagehound.vision.crops import least_side_of_crops, random_box
from sagehound.vision.inference import Description, Transform, build_transform, resampled

#: Bytes (height, width, 3).
Pixels = NDArray[np.uint8]


class View(Protocol):
    """In two steps: `kept` is what all epochs have in common and is worth keeping, `seen` what one epoch makes of it.

    `setting` is all that `kept` depends on beside the photo, `least_side` what the photo is decoded for.
    `seen` is (3, height, width), of bytes or normalised already, and depends on nothing but its arguments.
    """

    @property
    def setting(self) -> str: ...

    @property
    def least_side(self) -> int: ...

    def kept(self, image: Image.Image) -> Pixels: ...

    def seen(self, kept: Pixels, chance: random.Random) -> Tensor: ...


@dataclass(frozen=True)
class Middle:
    """Exactly `build_transform`, the same every time."""

    description: Description
    _transform: Transform = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_transform", build_transform(self.description))

    @property
    def setting(self) -> str:
        return _setting("middle", self.description.transform)

    @property
    def least_side(self) -> int:
        return self._transform.least_side

    def kept(self, image: Image.Image) -> Pixels:
        if self._transform.pixels is None:
            return np.asarray(image)
        return self._transform.pixels(image).permute(1, 2, 0).numpy()

    def seen(self, kept: Pixels, chance: random.Random) -> Tensor:
        if self._transform.pixels is None:
            return self._transform(Image.fromarray(kept))
        return torch.from_numpy(kept).permute(2, 0, 1)


@dataclass(frozen=True)
class RandomCrop:
    """35 to 100 % of the photo's area, its sides up to 4:3, and every second time mirrored.

    Kept is the photo with its shorter side at `least_side` (if it was longer): the smallest crop still fills the
    network's input, so no crop is enlarged that would not have been so from the photo itself.
    """

    description: Description

    @property
    def setting(self) -> str:
        return _setting("photo", {"least_side": self.least_side})

    @property
    def least_side(self) -> int:
        return least_side_of_crops(self.description.transform)

    def kept(self, image: Image.Image) -> Pixels:
        scale = self.least_side / min(image.size)
        if scale < 1:
            width, height = (max(1, round(side * scale)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        return np.asarray(image)

    def seen(self, kept: Pixels, chance: random.Random) -> Tensor:
        image = Image.fromarray(kept)
        made = resampled(image, random_box(image.size, chance), self.description.transform)
        return made if chance.random() < 0.5 else _mirrored(made)


def _mirrored(pixels: Tensor) -> Tensor:
    # By NumPy: on a thread of its own torch would start further ones.
    rows = pixels.permute(1, 2, 0).numpy()
    return torch.from_numpy(np.ascontiguousarray(rows[:, ::-1])).permute(2, 0, 1)


def _setting(name: str, depends_on: dict[str, Any]) -> str:
    return json.dumps([name, depends_on, PIL.__version__, np.__version__])
