"""What a script gives to a hook itself, and which step it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Steps(Protocol):
    """Where the values go."""

    @property
    def in_step(self) -> bool: ...
    @property
    def has_model(self) -> bool: ...
    def begin_alone(self) -> None: ...
    def finish(self) -> None: ...
    def deliver(self, value: Callable[[], None]) -> None: ...


class GivenValues:
    """Values by name, each delivered into a step.

    What is given while a step is open belongs to it: a scalar after the backward. What is first given before any step
    began belongs to the step that follows, then and every time later: labels that are saved at the top of a loop's
    body. In a script without a model a step ends where a name comes again.
    """

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._leading: set[str] = set()
        self._seen: set[str] = set()
        self._waiting: list[Callable[[], None]] = []

    @property
    def waiting(self) -> bool:
        """Whether values wait for the next step."""
        return bool(self._waiting)

    def give(self, name: str, deliver: Callable[[], None]) -> None:
        """Take a value in, now or with the next step."""
        alone = not self._steps.has_model
        if alone and name in self._seen:
            self._end_alone()
        self._seen.add(name)
        if self._steps.in_step and name not in self._leading:
            self._steps.deliver(deliver)
            return
        if not alone:
            self._leading.add(name)
        self._waiting.append(deliver)

    def step_began(self) -> None:
        """Deliver what waited for it."""
        waiting, self._waiting = self._waiting, []
        for deliver in waiting:
            self._steps.deliver(deliver)

    def _end_alone(self) -> None:
        if not self._steps.in_step:
            self._steps.begin_alone()
        self._steps.finish()
        self._seen.clear()
