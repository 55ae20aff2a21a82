"""Training of the whole network: the head at the learning rate, the pretrained layers at a hundredth of it."""

from __future__ import annotations

import copy
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from sagehound.errors import InvalidInput
from sagehound.vision.backbones import classifier
from sagehound.vision.batches import Batches
from sagehound.vision.dataset import Batch, ImageFolder, Photo
from sagehound.vision.depthwise import fast_gradients
from sagehound.vision.history import History
from sagehound.vision.image_cache import Decoded, ImageCache, decoded
from sagehound.vision.inference import Description
from sagehound.vision.loop import Reports, fit, predict
from sagehound.vision.metrics import Evaluation, evaluate
from sagehound.vision.observer import Observer
from sagehound.vision.options import AUTO, Options
from sagehound.vision.precision import Comparison, Precision, Say, choose, seconds
from sagehound.vision.views import Middle, RandomCrop, View

BACKBONE_SHARE = 0.01
#: Photos in a batch.
_LEAST = 2
#: Batches made while a GPU is at an earlier one.
_AHEAD = 2
#: Photos of the step on which bf16 is measured: as in a batch, but sooner done.
_MEASURED = 8


def train(
    network: nn.Module,
    description: Description,
    data: ImageFolder,
    options: Options,
    history: History,
    observer: Observer,
) -> None:
    """Train every layer, printing into `history`; the network is in eval mode on the CPU afterwards.

    The photos to test and to validate on are seen exactly as an endpoint sees them, and in fp32. InvalidInput for
    batches of one photo.
    """
    if options.batch_size < _LEAST:
        raise InvalidInput(
            f"--finetune all learns from batches of {_LEAST} photos or more, as batch normalisation has nothing to "
            f"normalise over in one; give --batch-size {_LEAST} or more"
        )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    threads = torch.get_num_threads() if options.workers is None else options.workers
    ahead = 0 if device.type == "cpu" else _AHEAD
    middle = Middle(description)

    def seen(photos: tuple[Photo, ...], view: View) -> Batches:
        decode = _decoding(photos, view, options.image_cache, history.say)
        return Batches(photos, view, decode, description.transform, threads, ahead)

    def readable(batches: Iterable[Batch], least: int) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches:
            history.skip(batch.skipped)
            if len(batch.labels) >= least:
                yield batch.images.to(device).contiguous(memory_format=torch.channels_last), batch.labels.to(device)

    learned = seen(data.train, RandomCrop(description) if options.augment else middle)
    validation = seen(data.validation, middle) if data.validation else None
    shuffle = torch.Generator().manual_seed(options.seed)

    def batches(epoch: int) -> Iterable[tuple[Tensor, Tensor]]:
        return observer.batches(
            readable(learned.shuffled(options.batch_size, shuffle, f"{options.seed} {epoch}"), _LEAST)
        )

    def test(photos: Batches) -> Evaluation:
        return evaluate(*predict(network, observer.batches(readable(photos.in_order(options.test_batch_size), 1))))

    def epoch_ends(epoch: int) -> None:
        if validation:
            history.validation(epoch, test(validation))

    whole, rest = divmod(len(data.train), options.batch_size)
    steps = max(1, whole + (rest >= _LEAST))
    optimizer = torch.optim.AdamW(_groups(network, options.lr))
    reports = Reports(history.step, epoch_ends)
    precision = _precision(network, description, device, options, history.say)
    with fast_gradients(network):
        fit(network, batches, optimizer, options.epochs, steps, reports, observer, precision)
    history.test(test(seen(data.test, middle)))
    network.cpu().eval()


def _decoding(photos: tuple[Photo, ...], view: View, cache: Path | None, say: Say) -> Callable[[int], Decoded]:
    if cache:
        return ImageCache(cache).photos(photos, view, torch.get_num_threads(), say)
    return lambda place: decoded(photos[place], view)


def _groups(network: nn.Module, lr: float) -> list[dict[str, object]]:
    head = list(classifier(network).parameters())
    rest = [parameter for parameter in network.parameters() if all(parameter is not other for other in head)]
    return [{"params": rest, "lr": lr * BACKBONE_SHARE}, {"params": head, "lr": lr}]


def _precision(
    network: nn.Module, description: Description, device: torch.device, options: Options, say: Say
) -> Precision:
    """That of the steps of training: what the options name, or bf16 where it is measured to be faster. How accurate
    what it trains is, is measured over seeds in benchmarks/finetune.py."""
    if options.precision != AUTO:
        return Precision(options.precision)
    if options.image_cache is None:
        return Precision.FP32
    size = tuple(description.transform["input_size"])
    key = hashlib.sha256(f"training {description.architecture} {size}".encode()).digest()

    def compare() -> Comparison:
        # A copy, as even a step without an optimizer moves the statistics of batch normalisation.
        twin = copy.deepcopy(network).train()
        images = torch.zeros(_MEASURED, *size, device=device).contiguous(memory_format=torch.channels_last)

        def step(dtype: Precision) -> None:
            with torch.autocast(device.type, torch.bfloat16, enabled=dtype is Precision.BF16):
                outputs = twin(images)
            outputs.float().sum().backward()
            float(outputs.detach()[0, 0])  # until it is done, on a device that runs beside

        # Nor may dropout draw from the seed's numbers: the next training finds the answer and draws none.
        with fast_gradients(twin), torch.random.fork_rng():
            fp32_s, bf16_s = (seconds(functools.partial(step, dtype)) for dtype in (Precision.FP32, Precision.BF16))
        return Comparison(fp32_s, bf16_s, None)

    return choose(options.image_cache / "precision", key, device, compare, say)
