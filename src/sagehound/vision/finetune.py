"""Training of the whole network: the head at the learning rate, the pretrained layers at a hundredth of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from sagehound.vision import transforms
from sagehound.vision.backbones import classifier
from sagehound.vision.dataset import Batch, ImageFolder, Photo, loader
from sagehound.vision.history import History
from sagehound.vision.inference import Description, build_transform
from sagehound.vision.loop import Reports, fit, predict
from sagehound.vision.metrics import Evaluation, evaluate
from sagehound.vision.observer import Observer
from sagehound.vision.options import Options

BACKBONE_SHARE = 0.01


def train(
    network: nn.Module,
    description: Description,
    data: ImageFolder,
    options: Options,
    history: History,
    observer: Observer,
) -> None:
    """Train every layer, printing into `history`; the network is in eval mode on the CPU afterwards."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    # Reading and transforming a photo takes less than half as long as a small network takes to learn from it.
    workers = torch.get_num_threads() // 3 if options.workers is None else options.workers
    plain = build_transform(description)
    transform = transforms.augmentation(description.transform) if options.augment else plain
    shuffle = torch.Generator().manual_seed(options.seed)

    def readable(batches: Iterable[Batch], least: int) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches:
            history.skip(batch.skipped)
            if len(batch.labels) >= least:
                yield batch.images.to(device).contiguous(memory_format=torch.channels_last), batch.labels.to(device)

    def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        # Batch normalisation has nothing to normalise over in a batch of one.
        return readable(loader(data.train, transform, options.batch_size, workers, shuffle), 2)

    def test(photos: tuple[Photo, ...]) -> Evaluation:
        return evaluate(*predict(network, readable(loader(photos, plain, options.test_batch_size, workers), 1)))

    def epoch_ends(epoch: int) -> None:
        if data.validation:
            history.validation(epoch, test(data.validation))

    head = list(classifier(network).parameters())
    rest = [parameter for parameter in network.parameters() if all(parameter is not other for other in head)]
    groups = [{"params": rest, "lr": options.lr * BACKBONE_SHARE}, {"params": head, "lr": options.lr}]
    steps = math.ceil(len(data.train) / options.batch_size)
    reports = Reports(history.step, epoch_ends)
    fit(network, batches, torch.optim.AdamW(groups), options.epochs, steps, reports, observer)
    history.test(test(data.test))
    network.cpu().eval()
