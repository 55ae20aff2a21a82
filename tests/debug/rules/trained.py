"""Small trainings that are really done, hooked, and opened again, for the tests of rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.create_trial import create_trial
from sagehound.debug.hook import Hook
from sagehound.debug.modes import ModeKeys
from sagehound.debug.trial import Trial

Batch = tuple[torch.Tensor, torch.Tensor]


def clusters(batches: int = 30, size: int = 16, classes: int = 3, seed: int = 0) -> list[Batch]:
    """Batches of samples around one centre for each class, which a small network learns at once."""
    random = torch.Generator().manual_seed(seed)
    centres = 2 * torch.randn(classes, 8, generator=torch.Generator().manual_seed(99))
    labels = [torch.randint(0, classes, (size,), generator=random) for _ in range(batches)]
    return [(centres[y] + torch.randn(size, 8, generator=random), y) for y in labels]


def network(*more: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), *more, nn.Linear(16, 3))


def trained(
    folder: Path,
    model: nn.Module,
    batches: Sequence[Batch],
    validation: Sequence[Batch] = (),
    *,
    loss: nn.Module | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    epochs: int = 1,
    clip: float | None = None,
    to_train: Callable[[nn.Module], object] = nn.Module.train,
    to_eval: Callable[[nn.Module], object] = nn.Module.eval,
) -> Trial:
    """Train, with everything saved at every step; an evaluation follows each epoch where there is validation data."""
    criterion = loss or nn.CrossEntropyLoss()
    steps = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    hook = Hook(str(folder), save_all=True, save_config=SaveConfig(save_interval=1))
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(epochs):
        to_train(model)
        hook.set_mode(ModeKeys.TRAIN)
        for inputs, labels in batches:
            steps.zero_grad()
            criterion(model(inputs), labels).backward()
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            steps.step()
        if validation:
            to_eval(model)
            hook.set_mode(ModeKeys.EVAL)
            with torch.no_grad():
                for inputs, labels in validation:
                    criterion(model(inputs), labels)
    hook.close()
    return create_trial(folder)
