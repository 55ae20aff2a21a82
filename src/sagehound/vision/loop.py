"""The training loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sagehound.errors import InvalidInput
from sagehound.vision.observer import Nobody, Observer
from sagehound.vision.precision import Precision


@dataclass(frozen=True, slots=True)
class Reports:
    """Called as training goes: `step(epoch, step over all epochs, steps in an epoch, loss)`, and `epoch(epoch)`."""

    step: Callable[[int, int, int, float], None]
    epoch: Callable[[int], None]


def fit(
    model: nn.Module,
    batches: Callable[[int], Iterable[tuple[Tensor, Tensor]]],
    optimizer: torch.optim.Optimizer,
    epochs: int,
    steps_in_epoch: int,
    reports: Reports,
    observer: Observer | None = None,
    precision: Precision = Precision.FP32,
) -> None:
    """Minimise the cross entropy over `batches(epoch)` of (inputs, labels), epochs counted from 1.

    The learning rate falls linearly to zero, so that one epoch at a high rate settles too. In bf16 the weights, the
    statistics of batch normalisation and the loss stay in fp32.
    InvalidInput when the loss is not a number any more.
    """
    steps = epochs * steps_in_epoch
    cross_entropy = nn.CrossEntropyLoss()
    observer = observer or Nobody()
    observer.watch(model, cross_entropy)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))
    step = 0
    for epoch in range(1, epochs + 1):
        model.train()
        observer.training()
        for inputs, labels in batches(epoch):
            with torch.autocast(inputs.device.type, torch.bfloat16, enabled=precision is Precision.BF16):
                outputs = model(inputs)
            loss = cross_entropy(outputs.float(), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            if not math.isfinite(loss.item()):
                raise InvalidInput(f"the loss is {loss.item()} at step {step}; try a lower --lr")
            reports.step(epoch, step, steps_in_epoch, loss.item())
        observer.evaluating()
        reports.epoch(epoch)


@torch.inference_mode()
def predict(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Logits and labels over all `batches` of (inputs, labels), in eval mode and left in it. The loss of each batch is
    computed only for a debugger to see."""
    model.eval()
    cross_entropy = nn.CrossEntropyLoss()
    logits, answers = [], []
    for inputs, labels in batches:
        logits.append(model(inputs))
        cross_entropy(logits[-1], labels)
        answers.append(labels)
    if not logits:
        raise InvalidInput("none of the photos to test on can be read; see the lines above")
    return torch.cat(logits).float().cpu(), torch.cat(answers).cpu()
