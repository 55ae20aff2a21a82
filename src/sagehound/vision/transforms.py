"""Transforms in timm's vocabulary: the data configuration of a backbone.

The transform of evaluation is data (`Description.transform`); `inference.build_transform` makes it from them, here and
in the endpoint.
"""

from __future__ import annotations

from typing import Any

from timm.data.config import resolve_model_data_config
from torch import nn

from sagehound.errors import InvalidInput

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
