"""What may look on while a model trains."""

from __future__ import annotations

from typing import Protocol

from torch import nn


class Observer(Protocol):
    """Told of the model and its loss before the first step, and of every change between training and evaluating.

    It changes nothing: the model learns the same with any observer.
    """

    def watch(self, model: nn.Module, loss: nn.Module) -> None: ...
    def training(self) -> None: ...
    def evaluating(self) -> None: ...


class Nobody:
    """The observer of a training that nobody watches."""

    def watch(self, model: nn.Module, loss: nn.Module) -> None:
        pass

    def training(self) -> None:
        pass

    def evaluating(self) -> None:
        pass
