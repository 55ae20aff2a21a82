"""Trainings that tests profile, and what was written of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from sagehound.profile.config import TrainingProfile
from sagehound.profile.training_profiler import TrainingProfiler

Event = dict[str, Any]


@contextmanager
def profiled(folder: Path, **more: Any) -> Iterator[TrainingProfiler]:
    profiler = TrainingProfiler(TrainingProfile(out_dir=str(folder), **more))
    try:
        yield profiler
    finally:
        profiler.close()


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))


def loader(batches: int = 4, **more: Any) -> DataLoader[Any]:
    size = 4 * batches
    return DataLoader(TensorDataset(torch.randn(size, 8), torch.randint(2, (size,))), batch_size=4, **more)


def train(model: nn.Module, batches: Any, optimizer: torch.optim.Optimizer | None = None) -> None:
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.01)
    model.train()
    for inputs, labels in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()


def evaluate(model: nn.Module, batches: Any) -> None:
    model.eval()
    with torch.no_grad():
        for inputs, _ in batches:
            model(inputs)


def events(folder: Path) -> list[Event]:
    found = [json.loads(path.read_text()) for path in sorted(folder.rglob("*timeline.json"))]
    return [event for file in found for event in file if event["ph"] == "X"]


def steps(folder: Path) -> list[str]:
    """In order: "TRAIN 0" ..."""
    found = [event["args"] for event in events(folder) if event["cat"] == "step"]
    return [f"{args['mode']} {args['step_num']}" for args in found]


def phases(folder: Path, step: str) -> Counter[str]:
    """How many pieces of each phase a step has, but for what is between them."""
    found = [event for event in events(folder) if event["cat"] == "phase" and event["name"] != "rest"]
    return Counter(e["name"] for e in found if f"{e['args']['mode']} {e['args']['step_num']}" == step)


def facts(folder: Path) -> dict[str, Any]:
    [path] = (folder / "framework").glob("facts_*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found
