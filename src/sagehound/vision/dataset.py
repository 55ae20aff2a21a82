"""An image folder: one folder a class, found as splits, read photo by photo with the broken ones listed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from sagehound.errors import InvalidInput

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".ppm", ".tif", ".tiff"}
VALIDATION_NAMES = ("validation", "valid", "val")
#: Of one folder without splits, this part of each class becomes the test set.
TEST_FRACTION = 0.2

LAYOUT = (
    "expected FOLDER/train/CLASS/photo.jpg with FOLDER/test or FOLDER/validation beside it, or FOLDER/CLASS/photo.jpg"
)


@dataclass(frozen=True, slots=True)
class Photo:
    """A file and the number of its class."""

    path: Path
    label: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A photo that could not be read, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """The photos of each split, sorted by class and path; `validation` may be empty. `notes` are for the log."""

    classes: tuple[str, ...]
    train: tuple[Photo, ...]
    test: tuple[Photo, ...]
    validation: tuple[Photo, ...] = ()
    notes: tuple[str, ...] = ()


def find_images(folder: Path, seed: int, test: Path | None = None, validation: Path | None = None) -> ImageFolder:
    """Find the splits under `folder`; `test` and `validation` name folders elsewhere (SageMaker channels of their own).

    InvalidInput for a missing or empty folder, a class without photos, fewer than two classes, a class that only the
    test set has, and a train folder with nothing to test on.
    """
    if not folder.is_dir():
        raise InvalidInput(f"the data folder {folder} does not exist; {LAYOUT}")
    if not (folder / "train").is_dir():
        _refuse_misplaced_train(folder)
        if not test and not validation:
            return _split_one_folder(folder, seed)
    train = folder / "train" if (folder / "train").is_dir() else folder
    test = test or _first_folder(folder, ("test",))
    validation = validation or _first_folder(folder, VALIDATION_NAMES)
    if not test and not validation:
        raise InvalidInput(f"{folder} has train/ and nothing to test on; {LAYOUT}")
    classes = _class_names(train)
    notes = () if test else (f"No test folder: {validation} is the test set.",)
    return ImageFolder(
        classes,
        _photos(train, classes, every_class=True),
        _photos(test or validation or folder, classes),
        _photos(validation, classes) if test and validation else (),
        notes,
    )


def hold_out(data: ImageFolder, share: float, seed: int) -> ImageFolder:
    """Move a `share` (0 to 1) of each class's training photos, at least one, to the validation set. `data` as it is
    where there are photos to validate on already, or the share is 0; InvalidInput for a class with one photo."""
    if data.validation or not share:
        return data
    chance = random.Random(seed)
    drawn = _drawn(data.train, data.classes, share, chance, "validate")
    note = (
        f"No validation folder: {len(drawn)} of {len(data.train)} photos to train on, {share:g} of each class, drawn "
        f"with seed {seed}, are validated on instead."
    )
    kept = tuple(photo for photo in data.train if photo not in drawn)
    validation = tuple(photo for photo in data.train if photo in drawn)
    return replace(data, train=kept, validation=validation, notes=(*data.notes, note))


def _first_folder(folder: Path, names: Sequence[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def _refuse_misplaced_train(folder: Path) -> None:
    found = _first_folder(folder, ("test", *VALIDATION_NAMES))
    if found:
        raise InvalidInput(f"{folder} has {found.name}/ but no train/; {LAYOUT}")
    nested = next((path for path in sorted(folder.iterdir()) if (path / "train").is_dir()), None)
    if nested:
        raise InvalidInput(f"{folder} has no train/, but {nested} has; give that folder")


def _split_one_folder(folder: Path, seed: int) -> ImageFolder:
    classes = _class_names(folder)
    photos = _photos(folder, classes, every_class=True)
    chance = random.Random(seed)
    test = _drawn(photos, classes, TEST_FRACTION, chance, "test")
    note = f"No train folder: {len(test)} of {len(photos)} photos, drawn with seed {seed}, are the test set."
    kept = tuple(photo for photo in photos if photo not in test)
    return ImageFolder(classes, kept, tuple(photo for photo in photos if photo in test), notes=(note,))


def _drawn(
    photos: Sequence[Photo], classes: Sequence[str], share: float, chance: random.Random, verb: str
) -> set[Photo]:
    """A share of each class's photos, at least one of them and never all."""
    drawn: set[Photo] = set()
    for label, name in enumerate(classes):
        own = [photo for photo in photos if photo.label == label]
        if len(own) < 2:
            raise InvalidInput(
                f"class {name} has one photo to train on; at least two are needed to train and to {verb}"
            )
        drawn.update(chance.sample(own, min(len(own) - 1, max(1, round(len(own) * share)))))
    return drawn


def _class_names(folder: Path) -> tuple[str, ...]:
    names = tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__"))))
    if not names:
        raise InvalidInput(f"{folder} has no class folders; {LAYOUT}")
    if len(names) == 1:
        raise InvalidInput(f"{folder} has one class, {names[0]!r}; a classifier needs at least two class folders")
    return names


def _photos(folder: Path, classes: tuple[str, ...], every_class: bool = False) -> tuple[Photo, ...]:
    unknown = sorted(set(_class_names(folder)) - set(classes))
    if unknown:
        raise InvalidInput(
            f"{folder} has classes that the training set lacks: {', '.join(unknown)}; use the same names in both"
        )
    photos: list[Photo] = []
    for label, name in enumerate(classes):
        paths = sorted(p for p in (folder / name).rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if every_class and not paths:
            raise InvalidInput(f"class folder {folder / name} has no photos; add some or remove the folder")
        photos += [Photo(path, label) for path in paths]
    if not photos:
        raise InvalidInput(f"{folder} has no photos ({', '.join(sorted(SUFFIXES))}); {LAYOUT}")
    return tuple(photos)


@dataclass(frozen=True, slots=True)
class Batch:
    """Photos as one tensor (n, 3, height, width), their labels (n), and the ones that could not be read."""

    images: Tensor
    labels: Tensor
    skipped: tuple[Skipped, ...]


#: The label, and the transformed photo or why there is none.
Loaded = tuple[int, Tensor | Skipped]


def collate(loaded: Sequence[Loaded]) -> Batch:
    """Put the readable photos of a batch together; `images` has no rows when all of them are broken."""
    kept = [(label, image) for label, image in loaded if isinstance(image, Tensor)]
    return Batch(
        torch.stack([image for _, image in kept]) if kept else torch.empty(0),
        torch.tensor([label for label, _ in kept], dtype=torch.long),
        tuple(image for _, image in loaded if isinstance(image, Skipped)),
    )
