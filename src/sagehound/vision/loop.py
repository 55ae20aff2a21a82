"""The training loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sagehound.errors import InvalidInput


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
) -> None:
    """Minimise the cross entropy over `batches(epoch)` of (inputs, labels), epochs counted from 1.

    The learning rate falls linearly to zero, so that one epoch at a high rate settles too.
    InvalidInput when the loss is not a number any more.
    """
    steps = epochs * steps_in_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))
    step = 0
    for epoch in range(1, epochs + 1):
        model.train()
        for inputs, labels in batches(epoch):
            loss = cross_entropy(model(inputs), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            step += 1
            if not math.isfinite(loss.item()):
                raise InvalidInput(f"the loss is {loss.item()} at step {step}; try a lower --lr")
            reports.step(epoch, step, steps_in_epoch, loss.item())
        reports.epoch(epoch)
