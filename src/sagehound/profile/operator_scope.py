"""Which operators take the time: torch.profiler, its trace and a summary."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from sagehound.errors import InvalidInput
from sagehound.profile.operators import write_operators
from sagehound.profile.process_name import ProcessName
from sagehound.profile.trace_format import DETAILED_FOLDER

#: Does something in the timeline's thread, which the training does not wait for.
Later = Callable[[Callable[[], None]], None]


#: Kineto marks each start and stop on stderr (level 5, whatever is set below); nobody asked for it in a job's log.
_NOTHING = "6"


class OperatorScope:
    """Writes, below `framework/pytorch/detailed_profiling/<YYYYMMDDHH>/<first step, nine digits>/`,
    `<pid>-<node>.trace.json`, a Chrome trace that Perfetto opens, and `<pid>-<node>.operators.json` (operators.py)."""

    name = "detailed"

    def __init__(
        self, folder: Path, later: Later, *, memory: bool = False, stacks: bool = True, shapes: bool = False
    ) -> None:
        self._later = later
        self._folder = folder / DETAILED_FOLDER
        self._process = ProcessName.here()
        self._memory, self._stacks, self._shapes = memory, stacks, shapes
        self.hears_python = stacks
        self._profile: profile | None = None
        self._first = 0

    def start(self, step: int) -> None:
        enabled = getattr(torch.autograd, "_profiler_enabled", None)
        if enabled is not None and enabled():
            raise InvalidInput("the script runs torch.profiler itself, and there can be one only")
        activities = [ProfilerActivity.CPU]
        if torch.cuda.is_available():
            activities.append(ProfilerActivity.CUDA)
        else:
            # Kineto reads it when it is first used. With a GPU its warnings tell why kernels are missing.
            os.environ.setdefault("KINETO_LOG_LEVEL", _NOTHING)
        self._first = step
        started = profile(
            activities=activities,
            record_shapes=self._shapes,
            profile_memory=self._memory,
            with_stack=self._stacks,
        )
        started.start()
        self._profile = started

    def next_step(self, step: int) -> None:
        if self._profile is not None:
            self._profile.step()

    def stop(self, step: int) -> None:
        seen, self._profile = self._profile, None
        if seen is None:
            return
        seen.stop()
        folder = self._folder / time.strftime("%Y%m%d%H", time.gmtime()) / f"{self._first:09d}"
        folder.mkdir(parents=True, exist_ok=True)
        trace = folder / f"{self._process}.trace.json"
        seen.export_chrome_trace(str(trace))
        summary = trace.with_name(f"{self._process}.operators.json")
        steps = (self._first, step - self._first)
        self._later(partial(write_operators, summary, trace, self._process, steps, self._memory))
