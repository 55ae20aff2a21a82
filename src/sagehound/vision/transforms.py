"""Transforms in timm's vocabulary: the data configuration of a backbone, and training's augmentation.

The transform of evaluation is data (`Description.transform`); `inference.build_transform` makes it from them, here and
in the endpoint.
"""

from __future__ import annotations

import math
from typing import Any

from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform
from torch import nn

from sagehound.errors import InvalidInput
from sagehound.vision.inference import Transform

_KEPT = ("input_size", "interpolation", "mean", "std", "crop_pct", "crop_mode")


def resolve(network: nn.Module, image_size: int | None = None, crop_pct: float | None = None) -> dict[str, Any]:
    """The evaluation transform that `network` was trained for, at another size (pixels) or crop (0 to 1] if asked."""
    resolved = resolve_model_data_config(network)  # type: ignore[no-untyped-call]
    config = {name: value for name, value in resolved.items() if name in _KEPT}
    fixed = bool(getattr(network, "pretrained_cfg", {}).get("fixed_input_size"))
    if image_size is not None and fixed and image_size != config["input_size"][1]:
        raise InvalidInput(f"this model takes {config['input_size'][1]} pixels only; leave --image-size out")
    if image_size is not None:
        config["input_size"] = (config["input_size"][0], image_size, image_size)
    if crop_pct is not None:
        config["crop_pct"] = crop_pct
    return {name: list(value) if isinstance(value, tuple) else value for name, value in config.items()}


def augmentation(transform: dict[str, Any]) -> Transform:
    """Training's random crop (35 to 100 % of the area) and left-right flip, then evaluation's normalisation."""
    made = create_transform(
        input_size=transform["input_size"],
        is_training=True,
        scale=(LEAST_AREA, 1.0),
        ratio=(1 / MOST_RATIO, MOST_RATIO),
        color_jitter=0.0,
        interpolation=transform["interpolation"],
        mean=transform["mean"],
        std=transform["std"],
    )
    return Transform(least_side_of_crops(transform), made)


#: Of training's random crops: the least part of the photo's area, and the most that a side may exceed the other.
LEAST_AREA, MOST_RATIO = 0.35, 4 / 3


def least_side_of_crops(transform: dict[str, Any]) -> int:
    """How many pixels a photo's shorter side must have for the smallest crop to fill the network's input."""
    size: int = max(transform["input_size"][1:])
    return math.ceil(size / math.sqrt(LEAST_AREA / MOST_RATIO))
