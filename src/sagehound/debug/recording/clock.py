"""Which of the registered models' calls begin a step."""

from __future__ import annotations

import weakref

import torch

from sagehound.debug.recording.root import Root

#: Another model becomes the one whose calls are counted after so many calls of it, or so many steps of optimizers that
#: hold none of the first one's parameters, during which the first was not called.
_CALLS, _OPTIMIZER_STEPS = 8, 2


class Clock:
    """The model whose calls are counted: the one that was called first. Others are called within its steps, as the
    discriminator of a GAN is. Where it is not called any more, because another model is trained now, that one takes
    its place."""

    def __init__(self) -> None:
        self.root: Root | None = None
        self._calls = 0
        self._foreign_steps = 0
        self._holds: weakref.WeakKeyDictionary[torch.optim.Optimizer, bool] = weakref.WeakKeyDictionary()

    def ticks(self, root: Root) -> bool:
        """Whether this call of `root` begins a step."""
        if self.root is not root:
            self._calls += 1
            if self.root is not None and self._calls < _CALLS and self._foreign_steps < _OPTIMIZER_STEPS:
                return False
            self.root = root
            self._holds.clear()
        self.again()
        return True

    def again(self) -> None:
        """The model that is counted is called."""
        self._calls = self._foreign_steps = 0

    def optimizer_steps(self, optimizer: torch.optim.Optimizer) -> bool:
        """An optimizer has taken a step; tells whether it holds parameters of the model that is counted."""
        holds = self._holds.get(optimizer)
        if holds is None:
            held = {id(p) for group in optimizer.param_groups for p in group["params"]}
            own = self.root.module.parameters() if self.root else ()
            holds = self._holds[optimizer] = any(id(p) in held for p in own)
        self._foreign_steps += not holds
        return holds

    def reset(self) -> None:
        """What is called next is counted."""
        self.root = None


def trains(module: torch.nn.Module) -> bool:
    """Whether it has parameters that are trained."""
    return any(parameter.requires_grad for parameter in module.parameters())
