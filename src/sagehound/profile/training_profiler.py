"""The profiler in the process that trains: hooks, marks, timeline, facts and windows, put together."""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sagehound.errors import InvalidInput
from sagehound.profile import training_facts
from sagehound.profile.config import TrainingProfile
from sagehound.profile.config_watch import ConfigWatch
from sagehound.profile.marks import new_marks
from sagehound.profile.operator_scope import OperatorScope
from sagehound.profile.pacing import Pacing
from sagehound.profile.python_scope import PythonScope
from sagehound.profile.step_hooks import StepHooks
from sagehound.profile.step_windows import LoaderScope, Scope, StepWindows
from sagehound.profile.timeline import Timeline
from sagehound.profile.window import Window
from sagehound.watching.trouble import cause_of, say

#: Facts are looked at anew at these steps: settings change after the first, and a compiled model is known later.
_FACTS_AT = (1, 2, 4, 16, 256)


_current: TrainingProfiler | None = None


def current_profiler() -> TrainingProfiler | None:
    """The one that this process has, if any: hooks of two would each time the other."""
    return _current


class TrainingProfiler:
    """Profiles what this process trains from when it is made until `close`, which comes at the process's end at the
    latest. `file` is where the request was read, which is read again when it changes: steps are written, and windows
    opened, as it says by then; folder and sizes stay. Nothing in it stops a training: what fails is said on stderr."""

    def __init__(self, config: TrainingProfile, file: Path | None = None) -> None:
        global _current
        self.config = config
        self._watch = ConfigWatch(file)
        self._asked: TrainingProfile | None = None
        self.folder = Path(config.out_dir)
        self._marks = new_marks()
        self._facts: dict[str, str | float] = {}
        self._loader: dict[str, str | float] = {}
        self._closed = False
        self._pid = os.getpid()
        self._facts_at = 1
        self.pacing = Pacing(self._marks, self._at_step)
        self.timeline = Timeline(
            self.folder, self._marks, self.facts, self._wanted, max_bytes=config.max_bytes, close_s=config.close_s
        )
        #: The windows that were asked for last, by the name of what looks through them.
        self._known: dict[str, Window] = {}
        self.windows = StepWindows(self._planned(0), self._marks)
        self.hooks = StepHooks(self._marks, self.pacing, self._iterated)
        _current = self
        atexit.register(self.close)

    def facts(self) -> Mapping[str, str | float]:
        """What is known of the training's settings by now."""
        return dict(self._facts)

    def detach(self) -> None:
        """Take the hooks away: what is trained now is not seen."""
        self.hooks.close()

    def attach(self) -> None:
        """After `detach`: put them back."""
        self.hooks = StepHooks(self._marks, self.pacing, self._iterated)

    def close(self) -> None:
        """Take every hook away and write what there is."""
        if self._closed or os.getpid() != self._pid:
            return
        global _current
        self._closed = True
        _current = None
        atexit.unregister(self.close)
        self.hooks.close()
        self.windows.close(self.pacing.begun)
        self.timeline.close()

    def forked(self) -> None:
        """This process is a fork of the one that made it: here nothing is noted."""
        global _current
        _current = None
        self.hooks.close()
        self._marks.clear()

    def _iterated(self, loader: Any) -> None:  # noqa: ANN401
        try:
            self._loader = training_facts.of_loader(loader)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            say("profile", f"the loader's settings are not known: {cause_of(error)}")

    def _at_step(self, begun: int) -> None:
        """A step begins, the `begun`-th from 1 on, at which there is something to do."""
        self.timeline.start()
        if begun >= self._facts_at:
            self.hooks.models.on_call = self._look
            self._facts_at = next((step for step in _FACTS_AT if step > begun), begun + _FACTS_AT[-1])
        if self._asked is not None:
            self._change(begun - 1)
        window = self.windows.at_step(begun - 1)
        self.pacing.alarm = min(self._facts_at, self._facts_at if window is None else window + 1)

    def _wanted(self) -> bool:
        """Whether steps are to be written. Asked by the timeline's thread; the training's own sees to the windows."""
        asked = self._watch.changed()
        if asked is not None:
            self._asked = asked
            self.pacing.alarm = 0
        return (self._asked or self.config).enabled

    def _change(self, step: int) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and asked != self.config:
            self.windows.close(step)
            self.config = asked
            self.windows = StepWindows(self._planned(step), self._marks)

    def _planned(self, step: int) -> list[tuple[Scope, Window]]:
        """What is looked at from that step on. A window that is asked for anew counts from here where it names no step
        of its own; the SDK writes that as its first step, 0."""
        planned = []
        for scope, window in self._wished():
            new = step > 0 and window != self._known.get(scope.name)
            self._known[scope.name] = window
            planned.append((scope, window.from_now() if new else window))
        return planned

    def _wished(self) -> list[tuple[Scope, Window]]:
        """What the request asks for; what cannot be had is said."""
        asked = self.config
        found: list[tuple[Scope, Window]] = []
        if not asked.enabled:
            return found
        for name in asked.ignored:
            say("profile", f"{name} is taken and has no effect here")
        if asked.detailed:
            options = {"memory": asked.memory, "stacks": asked.stacks, "shapes": asked.shapes}
            found.append((OperatorScope(self.folder, self.timeline.later, **options), asked.detailed))
        if asked.dataloader:
            found.append((LoaderScope(), asked.dataloader.window))
        if asked.python:
            try:
                found.append((PythonScope(self.folder, asked.python, self._mode), asked.python.window))
            except InvalidInput as error:
                say("profile", str(error))
        return found

    def _mode(self) -> str:
        return self.hooks.models.mode

    def _look(self, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        try:
            found = training_facts.of_torch() | training_facts.of_call(module, args)
            found |= self._loader
            # A frozen network may train in eval mode; an evaluation tells only what is not known yet.
            learns = module.training or torch.is_grad_enabled()
            self._facts |= found if learns else {name: each for name, each in found.items() if name not in self._facts}
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            say("profile", f"the training's settings are not known: {cause_of(error)}")


def _forked() -> None:
    if _current is not None:
        _current.forked()


os.register_at_fork(after_in_child=_forked)
