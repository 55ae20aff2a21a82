"""Steps at which nothing is saved: they are counted and no more."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

import torch

from sagehound.debug.recording.root import Root

#: So many steps are looked ahead at most: what is to be saved may be changed meanwhile.
LOOK_AHEAD = 64


class QuietSteps:
    """The calls of one model until something is to be done at one. After some milliseconds of a training nothing of
    the hook is left in the processor's cache, so each object that a step touches here costs more than its work."""

    __slots__ = ("__weakref__", "_counted", "_grad", "_training", "left", "root")

    def __init__(self) -> None:
        self.root: Root | None = None
        #: So many of its next calls are quiet.
        self.left = 0
        self._counted = 0
        self._grad = self._training = False
        _all.add(self)

    def begin(self, root: Root, steps: int) -> None:
        """The next `steps` calls of that model are."""
        self.root, self.left, self._counted = root, steps, steps
        self._grad, self._training = torch.is_grad_enabled(), root.outer.training

    def end(self) -> None:
        """Something is to be done at the next call, whichever it is. What passed can still be asked for."""
        self.root = None

    def passed(self) -> int:
        """The quiet calls since this was last asked."""
        count, self._counted = self._counted - self.left, self.left
        return count

    def alike(self, root: Root) -> bool:
        """Whether the model is called as it was at the beginning, in training mode and with gradients or without."""
        return self._grad == torch.is_grad_enabled() and self._training == root.outer.training


_all: weakref.WeakSet[QuietSteps] = weakref.WeakSet()


def _after_fork() -> None:
    """Whether a child saves anything is for its next step to see."""
    for quiet in list(_all):
        quiet.end()


_register: Callable[..., None] | None = getattr(os, "register_at_fork", None)
if _register is not None:
    _register(after_in_child=_after_fork)
