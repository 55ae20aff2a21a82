"""Small trainings for the tests of the hook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from sagehound.debug.hook import Hook
from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.files import LocalFiles
from sagehound.debug.store.reader import FolderSource
from sagehound.debug.trial import Trial


class Net(nn.Module):
    """Convolution, ReLU in place, dropout, linear."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.drop(self.relu(self.conv(x)).mean((2, 3))))


def batch(seed: int, size: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and labels, without touching torch's own random numbers."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(size, 3, 6, 6, generator=generator)
    return images, torch.randint(0, 5, (size,), generator=generator)


def train(
    model: nn.Module,
    steps: int,
    criterion: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    hook: Hook | None = None,
    lr: float = 0.1,
) -> list[float]:
    """Train, and say the losses."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    losses = []
    for step in range(steps):
        images, labels = batch(step)
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def trial(hook: Hook) -> Trial:
    """What a hook saved; it is closed."""
    hook.close()
    return opened(Path(hook.out_dir))


def opened(folder: Path) -> Trial:
    """What is in a folder."""
    return Trial(FolderSource(LocalFiles(folder)), path=str(folder))


__all__ = ["ModeKeys", "Net", "batch", "opened", "train", "trial"]
