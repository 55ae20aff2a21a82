"""The options of training: hyperparameters as SageMaker passes them, folders from SM_* where there are any."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sagehound.vision import backbones
from sagehound.vision.precision import Precision

#: Lets a measurement decide on the precision.
AUTO = "auto"
MOST_VIEWS = 100


@dataclass(frozen=True, slots=True)
class Options:
    """Folders, then hyperparameters; `workers` None is as many as compute, and no folder for a cache is no cache."""

    data_dir: Path
    model_dir: Path
    output_data_dir: Path
    test_dir: Path | None
    validation_dir: Path | None
    validation_share: float
    lr: float
    batch_size: int
    test_batch_size: int
    epochs: int
    model: str
    weights: Path | None
    finetune: str
    augment: bool
    views: int
    precision: str
    image_size: int | None
    crop_pct: float | None
    seed: int
    workers: int | None
    feature_cache: Path | None
    image_cache: Path | None

    def as_dict(self) -> dict[str, Any]:
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Read the command line over the defaults of `environment`; ends the program with a message where it is wrong."""
    parser = _parser(environment)
    given = vars(parser.parse_args(arguments))
    if given["data_dir"] is None:
        parser.error("give the photos with --data FOLDER, or run as a job with a channel named training or train")
    caches = {name: given[name] for name in ("feature_cache", "image_cache")}
    return Options(**{**given, **{name: None if str(path) == "none" else path for name, path in caches.items()}})


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sagehound.vision.train",
        description="Train an image classifier on class folders.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    _add_folders(parser, environment)
    add = parser.add_argument
    add("--lr", type=_number(float, above=0), default=0.01, help="learning rate; falls linearly to zero")
    add("--batch-size", "--batch_size", type=_number(int, least=1), default=64)
    add(
        "--test-batch-size",
        "--test_batch_size",
        type=_number(int, least=1),
        default=100,
        help="photos evaluated at once",
    )
    add("--epochs", type=_number(int, least=1), default=2)
    add(
        "--model",
        default=backbones.DEFAULT,
        help="a timm architecture, or resnet50_v1 (strides in the 1x1 convolutions)",
    )
    add("--weights", type=Path, help="a .safetensors or .pth file with the backbone's weights")
    add(
        "--finetune",
        choices=("head", "all"),
        default="head",
        help="head: the backbone is frozen; all: its layers learn too, at a hundredth of --lr",
    )
    add(
        "--augment",
        nargs="?",
        type=_truth,
        const=True,
        default=False,
        metavar="true|false",
        help="random crops and flips; without a value: true",
    )
    add(
        "--views",
        type=_number(int, least=1, most=MOST_VIEWS),
        default=4,
        help="views of a photo that --augment makes for a frozen backbone: itself, its mirror image, random crops",
    )
    add(
        "--precision",
        choices=(AUTO, *Precision),
        default=AUTO,
        help="auto: bf16 where it is measured to be faster and (with a frozen backbone) as accurate, else fp32",
    )
    add("--image-size", "--image_size", type=_number(int, least=32), help="pixels; the model's own by default")
    add("--crop-pct", "--crop_pct", type=_number(float, above=0, most=1), help="middle part of the photo that is used")
    add("--seed", type=_number(int, least=0), default=1)
    add(
        "--workers",
        type=_number(int, least=0),
        help="threads that read photos for --finetune all; by default as many as compute",
    )
    add(
        "--feature-cache",
        "--feature_cache",
        type=Path,
        default=_cache_folder(environment, "features"),
        help="keeps what a frozen backbone makes of the photos, for the next run or trial; none turns it off",
    )
    add(
        "--image-cache",
        "--image_cache",
        type=Path,
        default=_cache_folder(environment, "images"),
        help="keeps decoded photos for --finetune all, for the next epoch, run or trial; none turns it off",
    )
    return parser


def _add_folders(parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
    def channel(*names: str) -> Path | None:
        return next(
            (Path(environment[f"SM_CHANNEL_{name}"]) for name in names if f"SM_CHANNEL_{name}" in environment), None
        )

    add = parser.add_argument
    add(
        "--data-dir",
        "--data_dir",
        "--data",
        type=Path,
        default=channel("TRAINING", "TRAIN"),
        help="class folders or train/ test/",
    )
    add("--test-dir", "--test_dir", type=Path, default=channel("TEST"), help="test photos, if they lie elsewhere")
    add("--validation-dir", "--validation_dir", type=Path, default=channel("VALIDATION", "VALID", "VAL"))
    add(
        "--validation-share",
        "--validation_share",
        type=_number(float, least=0, most=0.5),
        default=0.0,
        help="part of each class's training photos to validate on instead, where there is no validation folder",
    )
    add("--model-dir", "--model_dir", type=Path, default=Path(environment.get("SM_MODEL_DIR", "model")))
    add(
        "--output-data-dir",
        "--output_data_dir",
        type=Path,
        default=Path(environment.get("SM_OUTPUT_DATA_DIR", "output")),
    )


def _truth(text: str) -> bool:
    """As a job's hyperparameters are passed on: JSON's words, or Python's."""
    truths = {"true": True, "false": False, "1": True, "0": False}
    if text.lower() not in truths:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return truths[text.lower()]


def _cache_folder(environment: Mapping[str, str], of: str) -> Path:
    given = environment.get(f"SAGEHOUND_{of[:-1].upper()}_CACHE")
    root = environment.get("XDG_CACHE_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".cache")
    return Path(given) if given else Path(root) / "sagehound" / of


def _number(
    kind: Callable[[str], float], above: float | None = None, least: float | None = None, most: float | None = None
) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of the kind {kind.__name__}") from None
        if not math.isfinite(value) or (above is not None and value <= above):
            raise argparse.ArgumentTypeError(f"{text} is not allowed; give a number above {above or 0:g}")
        if least is not None and value < least:
            raise argparse.ArgumentTypeError(f"{text} is not allowed; give {least:g} or more")
        if most is not None and value > most:
            raise argparse.ArgumentTypeError(f"{text} is not allowed; give {most:g} or less")
        return value

    return read
