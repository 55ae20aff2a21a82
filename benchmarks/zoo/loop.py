"""The training loop of the tutorials, hooked. Trainings whose loop is special write their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sagehound.debug.modes import modes

Batches = Iterable[Any]


def fit(
    hook: Any,
    model: nn.Module,
    criterion: nn.Module,
    optimizer: Optimizer,
    train: Batches,
    validation: Batches,
    epochs: int = 5,
    scheduler: Any = None,
) -> None:
    """`scheduler` steps once an epoch."""
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(epochs):
        train_epoch(hook, model, criterion, optimizer, train)
        evaluate(hook, model, criterion, validation)
        if scheduler is not None:
            scheduler.step()


def train_epoch(hook: Any, model: nn.Module, criterion: nn.Module, optimizer: Optimizer, train: Batches) -> None:
    hook.set_mode(modes.TRAIN)
    model.train()
    for inputs, labels in train:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()


@torch.no_grad()
def evaluate(hook: Any, model: nn.Module, criterion: nn.Module, validation: Batches) -> float:
    """The mean loss of the validation's batches."""
    hook.set_mode(modes.EVAL)
    model.eval()
    losses: list[Tensor] = [criterion(model(inputs), labels) for inputs, labels in validation]
    return float(torch.stack(losses).mean()) if losses else 0.0
