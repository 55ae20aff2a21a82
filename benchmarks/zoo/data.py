"""Data of the zoo: scikit-learn's digits, and what can be made up in a second.

Each maker gives (inputs, targets) of the whole set; `split` makes the two loaders of it.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

Set = tuple[Tensor, Tensor]


def split(data: Set, train: int = 1200, batch: int = 32) -> tuple[DataLoader, DataLoader]:
    """A shuffled loader of the first `train` samples and one of the rest, in order."""
    inputs, targets = data
    return loader(inputs[:train], targets[:train], batch), loader(inputs[train:], targets[train:], 64, shuffle=False)


def loader(inputs: Tensor, targets: Tensor, batch: int = 32, *, shuffle: bool = True) -> DataLoader:
    return DataLoader(TensorDataset(inputs, targets), batch_size=batch, shuffle=shuffle, drop_last=shuffle)


def digits(count: int = 1500, *, flat: bool = False, scale: str = "standard") -> Set:
    """Handwritten digits, (count, 1, 8, 8) or (count, 64): standardised, or between 0 and 1, or 0 and 255."""
    raw, labels = load_digits(return_X_y=True)
    order = torch.randperm(len(raw), generator=torch.Generator().manual_seed(1))[:count]
    unit = torch.tensor(raw, dtype=torch.float32)[order] / 16
    images = {"standard": (unit - unit.mean()) / unit.std(), "unit": unit, "bytes": unit * 255}[scale]
    return images if flat else images.reshape(-1, 1, 8, 8), torch.tensor(labels)[order]


def clusters(count: int = 1500, features: int = 20, classes: int = 4, spread: float = 1.0) -> Set:
    """Gaussian clusters around random centres, standardised."""
    centres = torch.randn(classes, features) * 2
    labels = torch.randint(classes, (count,))
    points = centres[labels] + torch.randn(count, features) * spread * 2
    return (points - points.mean(0)) / points.std(0), labels


def surface(count: int = 1500, features: int = 8, noise: float = 0.1) -> Set:
    """A smooth function of normal inputs: (count, features) and (count, 1)."""
    inputs = torch.randn(count, features)
    targets = torch.sin(inputs[:, :1]) + inputs[:, 1:2] * inputs[:, 2:3] / 2 + inputs[:, 3:].mean(1, keepdim=True)
    return inputs, targets + torch.randn(count, 1) * noise


def shapes(count: int = 900, size: int = 16) -> tuple[Tensor, Tensor, Tensor]:
    """Noisy RGB images of a bar that lies, a bar that stands, or a square: images, classes, masks."""
    images, masks = torch.randn(count, 3, size, size) * 0.5, torch.zeros(count, 1, size, size)
    labels = torch.randint(3, (count,))
    corners = torch.randint(1, size - 9, (count, 2))
    for mask, label, (top, left) in zip(masks, labels.tolist(), corners.tolist(), strict=True):
        height, width = ((3, 8), (8, 3), (5, 5))[label]
        mask[0, top : top + height, left : left + width] = 1
    images += masks * torch.randn(count, 3, 1, 1).abs().add(1) - masks.mean()
    return (images - images.mean()) / images.std(), labels, masks


def waves(count: int = 900, length: int = 24) -> Set:
    """Noisy sine waves of three frequencies: (count, length, 1) and the class."""
    labels = torch.randint(3, (count,))
    time = torch.arange(length) * (0.3 + 0.3 * labels[:, None]) + torch.rand(count, 1) * 6.28
    return (torch.sin(time) + torch.randn(count, length) * 0.2).unsqueeze(-1), labels


def sentences(count: int = 1200, length: int = 20, words: int = 100, padded: float = 0.2) -> Set:
    """Token sequences, 0 is padding: class 1 has mostly words of the upper half of the vocabulary."""
    labels = torch.randint(2, (count,))
    tokens = torch.randint(1, words // 2, (count, length))
    upper = torch.rand(count, length) < (0.35 + 0.3 * labels[:, None])
    tokens = tokens + upper * (words // 2)
    lengths = (length * (1 - 2 * padded * torch.rand(count, 1))).long().clamp(min=2)
    return torch.where(torch.arange(length) < lengths, tokens, 0), labels
