"""Images: bytes to a Pillow image under limits, and a Pillow image to what a classifier expects."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sagehound.errors import InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE_TYPES = ("image/jpeg", "image/png", "application/x-image")
#: More pixels than this are refused before they are decoded (268 MB as RGB): Pillow's own warning level.
MAX_PIXELS = 89_478_485
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
_IMAGENET = {"input_size": (3, 224, 224), "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def decode(body: bytes | bytearray, max_pixels: int = MAX_PIXELS) -> Image:
    """The image in `body` as RGB; InvalidInput where it is none, is cut off, or has more than `max_pixels`.

    As in training (torchvision's ImageFolder) the camera's rotation mark is not applied.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(body), formats=_FORMATS)
        _check_size(image.size, max_pixels)
        return image.convert("RGB")
    except UnidentifiedImageError:
        raise InvalidInput(f"the body ({len(body)} bytes) is not an image; send {', '.join(_FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InvalidInput(f"the image is too large; the limit is {max_pixels} pixels: scale it down first") from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise InvalidInput(f"the image is damaged or cut off: {error}") from None


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise InvalidInput(f"the image is {width} x {height}; the limit is {max_pixels} pixels: scale it down first")


def pixels(image: Image, config: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
    """A float32 array of shape (1, 3, height, width): the shorter side scaled, the centre cut out, normalised.

    `config` is a timm `pretrained_cfg`. Without one it is the recipe of torchvision's classifiers: 256, 224,
    bilinear, ImageNet's mean and standard deviation.
    """
    import numpy as np
    from PIL.Image import Resampling

    chosen = {**_IMAGENET, **{key: value for key, value in (config or {}).items() if value is not None}}
    _, height, width = chosen["input_size"]
    scale = max(height, width) / float(chosen.get("crop_pct", 0.875)) / min(image.size)
    filter_ = Resampling.BICUBIC if chosen.get("interpolation") == "bicubic" else Resampling.BILINEAR
    scaled = image.resize((max(width, round(image.width * scale)), max(height, round(image.height * scale))), filter_)
    left, top = (scaled.width - width) // 2, (scaled.height - height) // 2
    cut = np.asarray(scaled.crop((left, top, left + width, top + height)), dtype=np.float32) / 255
    normal = (cut - np.float32(chosen["mean"])) / np.float32(chosen["std"])
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None])
