"""Generated photos: each class a colour with noise on it; and where the real ones lie, if they are there."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COLOURS = {"blue": (30, 30, 220), "green": (30, 220, 30), "red": (220, 30, 30)}
SHARED = Path(__file__).parents[3] / "shared"
CLOTHES = SHARED / "data" / "clothing-small"
RESNET50_V1 = SHARED / "weights" / "resnet50_v1_fp16.safetensors"

needs_clothes = pytest.mark.skipif(not CLOTHES.is_dir(), reason=f"the photos of clothes are not in {CLOTHES}")
needs_resnet = pytest.mark.skipif(not RESNET50_V1.is_file(), reason=f"no weights of ResNet-50 in {RESNET50_V1}")


def picture(colour: str = "red", seed: int = 0, size: tuple[int, int] = (48, 40)) -> Image.Image:
    noise = np.random.default_rng(seed).integers(-30, 30, (size[1], size[0], 3))
    return Image.fromarray((np.array(COLOURS[colour]) + noise).clip(0, 255).astype("uint8"))


def encoded(image: Image.Image, format_: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def class_folders(root: Path, photos_a_class: int, first_seed: int = 0) -> Path:
    for colour in COLOURS:
        (root / colour).mkdir(parents=True)
        for number in range(photos_a_class):
            (root / colour / f"{number}.jpg").write_bytes(encoded(picture(colour, first_seed + number)))
    return root


def split_folders(root: Path, train: int = 6, test: int = 3) -> Path:
    class_folders(root / "train", train)
    class_folders(root / "test", test, first_seed=100)
    return root
