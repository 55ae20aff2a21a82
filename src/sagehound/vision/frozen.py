"""Training with a frozen backbone: features once, then a linear head on them."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from sagehound.errors import InvalidInput
from sagehound.vision import agreement
from sagehound.vision.backbones import classifier
from sagehound.vision.dataset import ImageFolder, Photo
from sagehound.vision.feature_cache import FeatureCache, of_photos
from sagehound.vision.features import Features
from sagehound.vision.frozen_backbone import FrozenBackbone
from sagehound.vision.history import History
from sagehound.vision.inference import Description, build_transform
from sagehound.vision.loop import Reports, fit, predict
from sagehound.vision.metrics import evaluate
from sagehound.vision.observer import Observer
from sagehound.vision.options import AUTO, Options
from sagehound.vision.precision import Precision, Say, choose
from sagehound.vision.seeded_views import PLAIN, SeededView

#: A feature that hardly varies would be blown up by its standard deviation; this part of the mean one is the floor.
_LEAST_DEVIATION = 0.1


def train(
    network: nn.Module,
    description: Description,
    data: ImageFolder,
    options: Options,
    history: History,
    observer: Observer,
) -> None:
    """Train the network's last layer, printing into `history`; the network is ready to export afterwards.

    AdamW on standardised features: with them a learning rate of 0.001 learns in one epoch of 24 steps, and one of 0.1
    does not diverge (accuracy 0.81 to 0.89 over the whole range on 3,068 photos of clothes). The standardisation is
    then folded into the last layer's weights, so the exported network is a plain timm one. With `augment`, each epoch
    shows one view of each photo, drawn by the seed from those that all trainings share.
    """
    cache = FeatureCache(options.feature_cache, history.say) if options.feature_cache else None
    backbone = _backbone(network, description, data, options, cache, history.say)
    transform = build_transform(description)

    def seen(photos: tuple[Photo, ...], number: int = PLAIN) -> Features:
        view = SeededView(number, transform, description.transform)
        made = of_photos(backbone, view, photos, cache, history.say)
        history.skip(made.skipped)
        return made

    test = seen(data.test)
    validation = seen(data.validation) if data.validation else None
    learned = seen(data.train)
    views = [learned, *(seen(data.train, number) for number in range(1, options.views if options.augment else 1))]
    if any(not torch.equal(view.labels, learned.labels) for view in views):
        raise InvalidInput("photos changed while they were read; train again when nothing writes into the folder")
    mean = learned.rows.mean(0)
    deviation = learned.rows.std(0, correction=0)
    deviation = deviation.clamp(min=max(float(deviation.mean()) * _LEAST_DEVIATION, 1e-6))
    head = nn.Linear(learned.rows.shape[1], len(data.classes))
    for parameter in head.parameters():
        nn.init.zeros_(parameter)
    shuffle = torch.Generator().manual_seed(options.seed)

    def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(learned.labels), generator=shuffle)
        shown = torch.randint(len(views), order.shape, generator=shuffle) if len(views) > 1 else torch.zeros_like(order)
        for start in range(0, len(order), options.batch_size):
            places = order[start : start + options.batch_size]
            yield (_shown(views, shown[places], places) - mean) / deviation, learned.labels[places]

    def epoch_ends(epoch: int) -> None:
        # A debugger sees each epoch's loss on the test photos too, where there are none to validate on.
        asked = test if validation is None else validation
        parts = zip(torch.split((asked.rows - mean) / deviation, chunk), torch.split(asked.labels, chunk), strict=True)
        result = evaluate(*predict(head, parts))
        if validation is not None:
            history.validation(epoch, result)

    chunk = options.test_batch_size
    steps = math.ceil(len(learned.labels) / options.batch_size)
    optimizer = torch.optim.AdamW(head.parameters(), options.lr)
    threads = torch.get_num_threads()
    # A head is small; and sums that several threads share differ in their last bits with the number of threads.
    torch.set_num_threads(1)
    try:
        fit(head, batches, optimizer, options.epochs, steps, Reports(history.step, epoch_ends), observer)
    finally:
        torch.set_num_threads(threads)
    _fold(head, mean, deviation, classifier(network))
    with torch.inference_mode():
        history.test(evaluate(classifier(network)(test.rows), test.labels))


def _shown(views: list[Features], shown: Tensor, places: Tensor) -> Tensor:
    """Row i is that of photo `places[i]` in view `shown[i]`."""
    rows = views[0].rows[places]
    for number in range(1, len(views)):
        chosen = shown == number
        rows[chosen] = views[number].rows[places[chosen]]
    return rows


def _backbone(
    network: nn.Module,
    description: Description,
    data: ImageFolder,
    options: Options,
    cache: FeatureCache | None,
    say: Say,
) -> FrozenBackbone:
    """`network` in the precision that the options name, or that is found to be better."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    made = {precision: FrozenBackbone(network, description, device, precision, say) for precision in Precision}
    if options.precision != AUTO:
        return made[Precision(options.precision)]
    photos = len(data.train) + len(data.validation) + len(data.test)
    if options.feature_cache is None or cache is None or photos < agreement.WORTH_PHOTOS:
        return made[Precision.FP32]
    fp32, bf16 = made[Precision.FP32], made[Precision.BF16]
    view = SeededView(PLAIN, build_transform(description), description.transform)
    sample = agreement.sample(data.train)
    key = bf16.setting + b"".join(cache.contents.digest(photo.path) for photo in sample)
    compare = functools.partial(agreement.compare, fp32, bf16, view, sample)
    chosen = choose(options.feature_cache / "precision", key, device, compare, say)
    say(f"Features are computed in {chosen}")
    return made[chosen]


@torch.no_grad()
def _fold(head: nn.Linear, mean: Tensor, deviation: Tensor, into: nn.Linear) -> None:
    """Set `into` so that into(x) = head((x - mean) / deviation)."""
    weight = head.weight.double() / deviation.double()
    into.weight.copy_(weight)
    into.bias.copy_(head.bias.double() - weight @ mean.double())
