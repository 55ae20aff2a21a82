"""Records the training curves that the benchmarks search: every configuration of a grid, trained for 27 epochs.

    python benchmarks/curves/record.py digits
    python benchmarks/curves/record.py clothing FOLDER

`digits`: a network with one hidden layer, by SGD, on half of scikit-learn's digits; the mean loss on the other half.
`clothing`: a linear head, by AdamW, on the features that EfficientNet-Lite0 makes of a folder of photos (the recipe of
`sagehound.vision.frozen`, with dropout and weight decay); the accuracy in per cent on the photos that it is not
trained on, and the mean loss there. Each figure is a JSON file beside this one: the levels of each hyperparameter, and
the curves in the order of `itertools.product` of the levels. A null is a loss that is no number. Text is a category, a
number a level on a scale.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from sagehound.vision import backbones
from sagehound.vision.dataset import Photo, find_images
from sagehound.vision.feature_cache import of_photos
from sagehound.vision.frozen_backbone import FrozenBackbone
from sagehound.vision.inference import build_transform
from sagehound.vision.precision import Precision
from sagehound.vision.seeded_views import PLAIN, SeededView

EPOCHS = 27
#: The file of each figure that a task measures.
FILES = {"digits": ["digits"], "clothing": ["clothing", "clothing_loss"]}
DIGITS: dict[str, list[Any]] = {
    "lr": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
    "momentum": ["0.0", "0.5", "0.9", "0.97"],
    "batch_size": ["16", "64", "256"],
    "hidden": [4, 16, 64, 256],
}
CLOTHING: dict[str, list[Any]] = {
    "lr": [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1],
    "batch_size": ["32", "128", "512"],
    "weight_decay": [1e-4, 1e-2, 1.0, 10.0],
    "dropout": [0.0, 0.3, 0.6, 0.9],
}

Data = tuple[Tensor, Tensor, Tensor, Tensor]
Number = float | None


def digits(given: Data, lr: float, momentum: str, batch_size: str, hidden: int) -> list[list[float]]:
    rows, labels, unseen, truth = given
    model = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum=float(momentum))

    def measured() -> list[float]:
        return [float(nn.functional.cross_entropy(model(unseen), truth))]

    return fitted(model, optimizer, rows, labels, int(batch_size), measured)


def clothing(given: Data, lr: float, batch_size: str, weight_decay: float, dropout: float) -> list[list[float]]:
    rows, labels, unseen, truth = given
    head = nn.Linear(rows.shape[1], int(labels.max()) + 1)
    nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)
    model = nn.Sequential(nn.Dropout(dropout), head)
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=weight_decay)

    def measured() -> list[float]:
        scores = model(unseen)
        accuracy = 100 * float((scores.argmax(1) == truth).float().mean())
        return [accuracy, float(nn.functional.cross_entropy(scores, truth))]

    return fitted(model, optimizer, rows, labels, int(batch_size), measured)


def fitted(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    rows: Tensor,
    labels: Tensor,
    size: int,
    measured: Callable[[], list[float]],
) -> list[list[float]]:
    """The curve of each figure measured."""
    epochs = []
    for _ in range(EPOCHS):
        model.train()
        for places in torch.randperm(len(rows)).split(size):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(rows[places]), labels[places]).backward()
            optimizer.step()
        model.eval()
        with torch.inference_mode():
            epochs.append(measured())
    return [list(curve) for curve in zip(*epochs, strict=True)]


def digit_data() -> Data:
    rows, labels = (torch.tensor(array) for array in load_digits(return_X_y=True))
    rows = rows.float() / 16
    return rows[::2], labels[::2], rows[1::2], labels[1::2]


def clothing_data(folder: Path) -> Data:
    data = find_images(folder, 0)
    network, description = backbones.create("tf_efficientnet_lite0", data.classes)
    backbone = FrozenBackbone(network, description, torch.device("cpu"), Precision.FP32, print)
    view = SeededView(PLAIN, build_transform(description), description.transform)

    def features(photos: tuple[Photo, ...]) -> tuple[Tensor, Tensor]:
        made = of_photos(backbone, view, photos, None, print)
        return made.rows, made.labels

    rows, labels = features(data.train)
    unseen, truth = features(data.validation + data.test)
    mean, deviation = rows.mean(0), rows.std(0, correction=0)
    deviation = deviation.clamp(min=float(deviation.mean()) * 0.1)
    return (rows - mean) / deviation, labels, (unseen - mean) / deviation, truth


def recorded(levels: dict[str, list[Any]], train: Callable[..., list[list[float]]]) -> Iterator[list[list[Number]]]:
    for place, values in enumerate(itertools.product(*levels.values())):
        torch.manual_seed(place)
        curves = train(**dict(zip(levels, values, strict=True)))
        yield [[float(f"{value:.4g}") if math.isfinite(value) else None for value in curve] for curve in curves]
        if place % 20 == 0:
            print(f"{place}: {dict(zip(levels, values, strict=True))} {curves[0][-1]:.4g}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=["digits", "clothing"])
    parser.add_argument("folder", nargs="?", type=Path, help="photos of clothes, a folder a class")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.task == "digits":
        data, levels, train = digit_data(), DIGITS, digits
    else:
        data, levels, train = clothing_data(arguments.folder), CLOTHING, clothing
    configurations = list(recorded(levels, lambda **values: train(data, **values)))
    for name, curves in zip(FILES[arguments.task], zip(*configurations, strict=True), strict=True):
        lines = ",\n".join(json.dumps(curve, separators=(",", ":")) for curve in curves)
        file = Path(__file__).with_name(f"{name}.json")
        file.write_text(f'{{"levels": {json.dumps(levels)},\n"curves": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
