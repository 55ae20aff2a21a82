"""Real pictures that come with an installed package: scikit-learn's handwritten digits, as class folders."""

from __future__ import annotations

from pathlib import Path

from sagehound.errors import InvalidInput

#: Of the 1,797 pictures; every fourth is for the test.
PICTURES = 1000
SIDE_PIXELS = 64


def write_digits(folder: Path) -> int:
    """Write `train/CLASS/*.jpg` and `test/CLASS/*.jpg` under `folder` and return how many there are; what is there
    already stays. InvalidInput where scikit-learn is missing."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise InvalidInput(
            "the demo's own pictures come with scikit-learn, which is not installed; "
            "pip install 'sagehound[demo]', or name a folder of yours: --data FOLDER"
        ) from None
    from PIL import Image

    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images[:PICTURES], digits.target[:PICTURES], strict=True)):
        path = folder / ("test" if number % 4 == 0 else "train") / str(label) / f"{number:04d}.jpg"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            grey = Image.fromarray((pixels * (255 / 16)).astype("uint8"))
            grey.resize((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.BICUBIC).convert("RGB").save(path, quality=95)
    return PICTURES
