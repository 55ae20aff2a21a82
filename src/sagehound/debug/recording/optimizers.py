"""The optimizers of a training, found when they take a step."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle

from sagehound.debug.config.selection import Named
from sagehound.debug.recording.naming import OPTIMIZER
from sagehound.debug.recording.step_facts import rates_of
from sagehound.debug.store.records import OptimizerInfo


class OptimizerListener(Protocol):
    """Told of every step of every optimizer, after it and, where it asks for that, before it. Where `after_optimizer`
    is true, that optimizer's steps are counted and no more until `wake`."""

    def before_optimizer(self, optimizer: torch.optim.Optimizer) -> None: ...
    def after_optimizer(self, optimizer: torch.optim.Optimizer) -> bool: ...


class Optimizers:
    """Counts the steps of all optimizers and knows those that took one. They are not kept alive; what they held is
    remembered until another optimizer takes a step: many a script closes the hook after its function has returned."""

    def __init__(self, listener: OptimizerListener) -> None:
        self.steps = 0
        self._listener = listener
        self._known: dict[int, weakref.ref[torch.optim.Optimizer]] = {}
        self._seen: dict[int, _Seen] = {}
        self._quiet: set[int] = set()
        self._handle = register_optimizer_step_post_hook(self._after)

    def close(self) -> None:
        self._handle.remove()

    def hear_before(self) -> RemovableHandle:
        """Tell the listener before each step too, until that is removed."""
        return register_optimizer_step_pre_hook(self._before)

    def wake(self) -> None:
        """Tell the listener of every optimizer again."""
        self._quiet.clear()

    def __iter__(self) -> Iterator[torch.optim.Optimizer]:
        return (found for one in self._known.values() if (found := one()) is not None)

    def rates_of(self, optimizer: torch.optim.Optimizer) -> tuple[float, ...]:
        return rates_of([optimizer])

    def rates(self) -> tuple[float, ...]:
        return rates_of(self)

    def held(self) -> set[int]:
        """The ids of all parameters that they hold, or held to the end."""
        return {parameter for seen in self._all_seen() for parameter in seen.held}

    def infos(self, registered: set[int]) -> tuple[OptimizerInfo, ...]:
        """`registered` has the ids of the parameters of the registered modules."""
        return tuple(
            OptimizerInfo(
                type=seen.type,
                learning_rates=seen.rates,
                parameters=len(seen.held),
                foreign=sum(parameter not in registered for parameter in seen.held),
            )
            for seen in self._all_seen()
        )

    def _all_seen(self) -> list[_Seen]:
        for one in self:
            self._seen[id(one)] = _Seen.of(one)
        return list(self._seen.values())

    def _before(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ANN401
        self._meet(optimizer)
        self._listener.before_optimizer(optimizer)

    def _after(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ANN401
        self.steps += 1
        if id(optimizer) in self._quiet:
            return
        self._meet(optimizer)
        if self._listener.after_optimizer(optimizer):
            self._quiet.add(id(optimizer))

    def _meet(self, optimizer: torch.optim.Optimizer) -> None:
        key = id(optimizer)
        if key not in self._known:
            self._seen = {known: seen for known, seen in self._seen.items() if known in self._known}
            self._seen[key] = _Seen.of(optimizer)
            self._known[key] = weakref.ref(optimizer, partial(_forget, self._known, self._quiet, key))


@dataclass(frozen=True)
class _Seen:
    """What an optimizer was like when it was last looked at; `held` are the ids of its parameters."""

    type: str
    held: tuple[int, ...]
    rates: tuple[float, ...]

    @classmethod
    def of(cls, optimizer: torch.optim.Optimizer) -> _Seen:
        held = tuple(id(p) for group in optimizer.param_groups for p in group["params"])
        return cls(type(optimizer).__name__, held, rates_of([optimizer]))


def state_of(optimizer: torch.optim.Optimizer, names: dict[int, Named]) -> Iterator[tuple[Named, torch.Tensor]]:
    """An optimizer's state for the parameters that are known by name: `optimizer/<parameter>/<what it is>`."""
    for parameter, state in optimizer.state.items():
        named = names.get(id(parameter))
        if named is None or not isinstance(state, dict):
            continue
        for key, value in state.items():
            if isinstance(value, torch.Tensor):
                yield (f"{OPTIMIZER}{named[0]}/{key}", "optimizer", named[2], named[3]), value


def _forget(known: dict[int, Any], quiet: set[int], key: int, _: object) -> None:
    known.pop(key, None)
    quiet.discard(key)
