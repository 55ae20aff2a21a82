"""Looks at trainings of the zoo without the debugger: their losses, gradients and times.

    python -m zoo.look [NAME ...]        in benchmarks/

This is how each fault was seen to be there before any rule was run.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import torch
from torch import Tensor, nn

from zoo import trainings


class Onlooker:
    """Stands where the hook stands: takes the loss of every backward and, by mode, of every registered loss module."""

    def __init__(self) -> None:
        self.mode = "GLOBAL"
        self.losses: dict[str, list[float]] = {"backward": []}
        self.models: list[nn.Module] = []
        self.gradients: list[float] = []

    def register_module(self, module: nn.Module) -> None:
        self.models.append(module)

    register_hook = register_module

    def register_loss(self, loss: nn.Module) -> None:
        loss.register_forward_hook(lambda *call: self.saw(call[-1]))

    def saw(self, loss: Tensor) -> None:
        self.losses.setdefault(self.mode, []).append(float(loss.detach().float().mean()))

    def set_mode(self, mode: Any) -> None:
        self.mode = mode.name

    def save_scalar(self, *_: Any, **__: Any) -> None:
        """Not looked at."""

    def backward(self, loss: Tensor, *arguments: Any, **named: Any) -> None:
        _BACKWARD(loss, *arguments, **named)
        self.losses["backward"].append(float(loss.detach().float().mean()))
        found = [p.grad.abs().mean().item() for m in self.models for p in m.parameters() if p.grad is not None]
        self.gradients = [min(found), max(found)] if found else []


_BACKWARD = Tensor.backward


def line(losses: list[float], points: int = 8) -> str:
    """The losses averaged over eight stretches."""
    size = max(1, len(losses) // points)
    stretches = [losses[at : at + size] for at in range(0, len(losses), size)][:points]
    return " ".join(f"{sum(stretch) / len(stretch):.3g}" for stretch in stretches)


def main() -> None:
    torch.set_num_threads(1)
    for training in trainings():
        if sys.argv[1:] and training.name not in sys.argv[1:]:
            continue
        onlooker, began = Onlooker(), time.perf_counter()
        Tensor.backward = lambda loss, *a, _by=onlooker, **n: _by.backward(loss, *a, **n)  # type: ignore[method-assign]
        torch.manual_seed(0)
        training.run(onlooker)
        spent_s = time.perf_counter() - began
        gradients = " ".join(f"{value:.1e}" for value in onlooker.gradients)
        print(f"{training.name}: {training.fault or 'healthy'}  [{spent_s:.1f} s, gradients {gradients}]")
        for name, losses in onlooker.losses.items():
            print(f"    {name:<9}{len(losses):>5}  {line(losses)}")


if __name__ == "__main__":
    main()
