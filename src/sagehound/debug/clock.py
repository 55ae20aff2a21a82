"""Which of the registered models' calls begin a step."""

from __future__ import annotations

import torch

from sagehound.debug.root import Root

#: A second model becomes the one whose calls are counted after so many calls of it, or so many steps of optimizers,
#: during which the first was not called.
_CALLS, _OPTIMIZER_STEPS = 8, 4


class Clock:
    """The model whose calls are counted: the one that was called first. Others are called within its steps, as the
    discriminator of a GAN is. Where it is not called any more, because another model is trained now, that one takes
    its place."""

    def __init__(self) -> None:
        self.root: Root | None = None
        self._calls = 0
        self._at = 0

    def ticks(self, root: Root, optimizer_steps: int) -> bool:
        """Whether this call of `root` begins a step, after so many steps of all optimizers."""
        if self.root is not None and root is not self.root:
            self._calls += 1
            if self._calls < _CALLS and optimizer_steps - self._at < _OPTIMIZER_STEPS:
                return False
        self.root, self._calls, self._at = root, 0, optimizer_steps
        return True

    def reset(self) -> None:
        """What is called next is counted."""
        self.root = None

    def idle(self, optimizer_steps: int) -> bool:
        """Whether optimizers have stepped since it was called."""
        return self.root is None or optimizer_steps > self._at + 1


def trains(module: torch.nn.Module) -> bool:
    """Whether it has parameters that are trained."""
    return any(parameter.requires_grad for parameter in module.parameters())
