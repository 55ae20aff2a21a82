"""The profiler in the process that trains: hooks, marks, timeline, facts and windows, put together."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sagehound.profile import training_facts
from sagehound.profile.config import TrainingProfile
from sagehound.profile.marks import new_marks
from sagehound.profile.pacing import Pacing
from sagehound.profile.step_hooks import StepHooks
from sagehound.profile.timeline import Timeline
from sagehound.profile.trouble import cause_of, say

#: Facts are looked at anew at these steps: settings change after the first, and a compiled model is known later.
_FACTS_AT = (1, 2, 4, 16, 256)


class TrainingProfiler:
    """Profiles what this process trains from when it is made until `close`, which comes at the process's end at the
    latest. Nothing in it stops a training: what fails is said on stderr."""

    def __init__(self, config: TrainingProfile) -> None:
        self.config = config
        self.folder = Path(config.out_dir)
        self._marks = new_marks()
        self._facts: dict[str, str | float] = {}
        self._loader: weakref.ref[Any] | None = None
        self._closed = False
        self.pacing = Pacing(self._marks, self._at_step)
        self.timeline = Timeline(
            self.folder, self._marks, self.facts, max_bytes=config.max_bytes, close_s=config.close_s
        )
        self.hooks = StepHooks(self._marks, self.pacing, self._iterated)
        os.register_at_fork(after_in_child=weakref.WeakMethod(self._forked)() or self._forked)
        atexit.register(self.close)

    def facts(self) -> Mapping[str, str | float]:
        """What is known of the training's settings by now."""
        return dict(self._facts)

    def close(self) -> None:
        """Take every hook away and write what there is."""
        if self._closed or self.hooks.off:
            return
        self._closed = True
        atexit.unregister(self.close)
        self.hooks.close()
        self.timeline.close()

    def _forked(self) -> None:
        self.hooks.off = True
        self._marks.clear()

    def _iterated(self, loader: Any) -> None:  # noqa: ANN401
        self._loader = weakref.ref(loader)

    def _at_step(self, begun: int) -> None:
        """A step begins, the `begun`-th from 1 on, at which there is something to do."""
        self.timeline.start()
        self.hooks.models.on_call = self._look
        self.pacing.alarm = next((step for step in _FACTS_AT if step > begun), begun + 1000)

    def _look(self, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        try:
            loader = self._loader() if self._loader else None
            found = training_facts.of_torch() | training_facts.of_call(module, args)
            if loader is not None and module.training:
                found |= training_facts.of_loader(loader)
            self._facts |= found
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            say(f"the training's settings are not known: {cause_of(error)}")
