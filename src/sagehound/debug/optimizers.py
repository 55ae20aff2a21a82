"""The optimizers of a training, found when they take a step."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from sagehound.debug.naming import OPTIMIZER
from sagehound.debug.selection import Named
from sagehound.debug.step_facts import rates_of
from sagehound.debug.store.records import OptimizerInfo


class OptimizerListener(Protocol):
    """Told of every step of every optimizer, before and after it."""

    def before_optimizer(self, optimizer: torch.optim.Optimizer) -> None: ...
    def after_optimizer(self, optimizer: torch.optim.Optimizer) -> None: ...


class Optimizers:
    """Counts the steps of all optimizers and knows those that took one. They are not kept alive."""

    def __init__(self, listener: OptimizerListener) -> None:
        self.steps = 0
        self._listener = listener
        self._known: dict[int, weakref.ref[torch.optim.Optimizer]] = {}
        self._handles = [
            register_optimizer_step_pre_hook(self._before),
            register_optimizer_step_post_hook(self._after),
        ]

    def close(self) -> None:
        for handle in self._handles:
            handle.remove()

    def __iter__(self) -> Iterator[torch.optim.Optimizer]:
        return (found for one in self._known.values() if (found := one()) is not None)

    def rates_of(self, optimizer: torch.optim.Optimizer) -> tuple[float, ...]:
        return rates_of([optimizer])

    def rates(self) -> tuple[float, ...]:
        return rates_of(self)

    def held(self) -> set[int]:
        """The ids of all parameters that they hold."""
        return {id(p) for one in self for group in one.param_groups for p in group["params"]}

    def infos(self, registered: set[int]) -> tuple[OptimizerInfo, ...]:
        """`registered` has the ids of the parameters of the registered modules."""
        found = []
        for one in self:
            held = [id(p) for group in one.param_groups for p in group["params"]]
            rates = rates_of([one])
            foreign = sum(p not in registered for p in held)
            found.append(
                OptimizerInfo(type=type(one).__name__, learning_rates=rates, parameters=len(held), foreign=foreign)
            )
        return tuple(found)

    def _before(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ANN401
        key = id(optimizer)
        if key not in self._known:
            self._known[key] = weakref.ref(optimizer, partial(_forget, self._known, key))
        self._listener.before_optimizer(optimizer)

    def _after(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ANN401
        self.steps += 1
        self._listener.after_optimizer(optimizer)


def state_of(optimizer: torch.optim.Optimizer, names: dict[int, Named]) -> Iterator[tuple[Named, torch.Tensor]]:
    """An optimizer's state for the parameters that are known by name: `optimizer/<parameter>/<what it is>`."""
    for parameter, state in optimizer.state.items():
        named = names.get(id(parameter))
        if named is None or not isinstance(state, dict):
            continue
        for key, value in state.items():
            if isinstance(value, torch.Tensor):
                yield (f"{OPTIMIZER}{named[0]}/{key}", "optimizer", named[2], named[3]), value


def _forget(known: dict[int, Any], key: int, _: object) -> None:
    known.pop(key, None)
