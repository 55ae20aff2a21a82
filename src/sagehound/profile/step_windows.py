"""When each window is switched on and off."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Protocol

from sagehound.profile.marks import WINDOW, Marks
from sagehound.profile.window import Window
from sagehound.watching.trouble import cause_of, say


class Scope(Protocol):
    """Something that looks closer at some steps. `start` is called before the first of them, `next_step` between two of
    them, `stop` after the last, which may come before its time: when the training ends. Steps count from 0 in all
    modes. What they raise ends the scope, not the training. `hears_python` says that it takes the interpreter's profile
    hook, of which there is one: a scope that needs it waits for the one that has it."""

    name: str

    @property
    def hears_python(self) -> bool: ...

    def start(self, step: int) -> None: ...
    def next_step(self, step: int) -> None: ...
    def stop(self, step: int) -> None: ...


@dataclass
class _Planned:
    scope: Scope
    window: Window
    first: int = -1
    began_s: float = 0.0
    began_ns: int = 0
    done: bool = False

    @property
    def on(self) -> bool:
        return self.first >= 0 and not self.done


class StepWindows:
    """The scopes of a training, each in its window."""

    def __init__(
        self, planned: Sequence[tuple[Scope, Window]], marks: Marks, now_s: Callable[[], float] = time.time
    ) -> None:
        self._planned = [_Planned(scope, window) for scope, window in planned]
        self._marks, self._now_s = marks, now_s

    def at_step(self, step: int) -> int | None:
        """That step begins; the one at which there is something to do next, None where there is none."""
        now_s = self._now_s()
        for one in self._planned:
            if one.on and one.window.over(step, one.first, now_s, one.began_s):
                self._stop(one, step)
            elif one.on:
                self._try(one, one.scope.next_step, step)
        for one in self._planned:
            if not one.on and not one.done and one.window.begins(step, now_s):
                self._begin(one, step, now_s)
        coming = [self._next(one, step) for one in self._planned if not one.done]
        return min((each for each in coming if each is not None), default=None)

    def close(self, step: int) -> None:
        """The training is over: so are the windows."""
        for one in self._planned:
            if one.on:
                self._stop(one, step)

    def _begin(self, one: _Planned, step: int, now_s: float) -> None:
        if one.scope.hears_python and any(each.on and each.scope.hears_python for each in self._planned):
            one.window = one.window.after(step)
            return
        one.first, one.began_s, one.began_ns = step, now_s, perf_counter_ns()
        self._try(one, one.scope.start, step)

    def _stop(self, one: _Planned, step: int) -> None:
        self._marks.append((WINDOW, one.began_ns, perf_counter_ns(), (one.scope.name, one.first)))
        self._try(one, one.scope.stop, step)
        one.done = True

    def _try(self, one: _Planned, call: Callable[[int], None], step: int) -> None:
        try:
            call(step)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            one.done = True
            say("profile", f"the {one.scope.name} window ends at step {step}: {cause_of(error)}")

    def _next(self, one: _Planned, step: int) -> int | None:
        if one.on or one.window.start_s is not None or one.window.start_step is None:
            return step + 1
        return one.window.start_step if one.window.start_step > step else None


class LoaderScope:
    """The wait for the loader is timed in every step, so there is nothing to switch on: its window is marked in the
    timeline."""

    name = "dataloader"
    hears_python = False

    def start(self, step: int) -> None: ...
    def next_step(self, step: int) -> None: ...
    def stop(self, step: int) -> None: ...
