"""What may look on while a model trains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from torch import nn

Batch = TypeVar("Batch")


class Observer(Protocol):
    """Told of the model and its loss before the first step, and of every change between training and evaluating. The
    batches pass through it, so that it may time the wait for each.

    It changes nothing: the model learns the same with any observer.
    """

    def watch(self, model: nn.Module, loss: nn.Module) -> None: ...
    def training(self) -> None: ...
    def evaluating(self) -> None: ...
    def batches(self, batches: Iterable[Batch]) -> Iterable[Batch]: ...


class Nobody:
    """The observer of a training that nobody watches."""

    def watch(self, model: nn.Module, loss: nn.Module) -> None:
        pass

    def training(self) -> None:
        pass

    def evaluating(self) -> None:
        pass

    def batches(self, batches: Iterable[Batch]) -> Iterable[Batch]:
        return batches
