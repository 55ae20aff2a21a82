"""A training that is profiled by a line of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns
from types import TracebackType
from typing import TypeVar

from sagehound.errors import InvalidInput
from sagehound.profile.config import TrainingProfile
from sagehound.profile.trace_format import EVAL, TRAIN
from sagehound.profile.training_profiler import TrainingProfiler, current_profiler
from sagehound.profile.window import Window
from sagehound.watching.trouble import say

Batch = TypeVar("Batch")


def profile_training(
    out_dir: str | Path,
    steps: int | None = None,
    *,
    start_step: int = 1,
    memory: bool = False,
    stacks: bool = True,
    shapes: bool = False,
) -> ProfiledTraining:
    """Profile what is trained within a `with` statement, into the folder `out_dir`, which `sagehound.profile`'s readers
    take. All steps and their phases are timed. `steps`: torch.profiler looks at so many of them, from `start_step` on,
    counted from 0; the first step is left out unless it is named, because it has costs that come once. `memory`,
    `stacks` and `shapes` are what torch.profiler takes down of each operator.

    In a process that is profiled already (a job's), the one that is there goes on and `out_dir` is not used: it says
    so. InvalidInput where a number is out of range.
    """
    if steps is not None and steps < 1:
        raise InvalidInput(f"steps is {steps}: a whole number of at least 1 is expected, or None for no operators")
    if start_step < 0:
        raise InvalidInput(f"start_step is {start_step}: a whole number of at least 0 is expected")
    window = None if steps is None else Window(start_step=start_step, steps=steps)
    config = TrainingProfile(out_dir=str(out_dir), detailed=window, memory=memory, stacks=stacks, shapes=shapes)
    return ProfiledTraining(config)


class ProfiledTraining:
    """What `profile_training` gives; to be entered once."""

    def __init__(self, config: TrainingProfile) -> None:
        self._config = config
        self._profiler: TrainingProfiler | None = None
        self._own = False

    def __enter__(self) -> ProfiledTraining:
        known = current_profiler()
        self._own = known is None
        self._profiler = known or TrainingProfiler(self._config)
        if not self._own:
            say(
                "profile",
                f"this process is profiled into {self._profiler.folder} already: nothing is put into {self.folder}",
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own and self._profiler is not None:
            self._profiler.close()
        self._profiler = None

    @property
    def folder(self) -> Path:
        """Where the profile is."""
        return self._profiler.folder if self._profiler and not self._own else Path(self._config.out_dir)

    def steps(self, batches: Iterable[Batch], mode: str | None = None) -> Iterator[Batch]:
        """The batches, one a step: a step ends where the next batch is asked for, and the wait for it is the phase
        "loader", whatever `batches` is. `mode` is "TRAIN" or "EVAL"; None: as the model is. A step in which no model
        and no optimizer of torch is used has to be given one."""
        return _timed(self._profiler, batches, mode)

    @contextmanager
    def mode(self, mode: str) -> Iterator[None]:
        """Steps that begin within it are of this mode, "TRAIN" or "EVAL", however the model is."""
        if mode not in (TRAIN, EVAL):
            raise InvalidInput(f"mode is {mode!r}: {TRAIN!r} or {EVAL!r} is expected")
        if self._profiler is None:
            yield
            return
        with self._profiler.pacing.in_mode(mode):
            yield


def steps(batches: Iterable[Batch], mode: str | None = None) -> Iterator[Batch]:
    """`ProfiledTraining.steps` of whatever profiles this process, a job's profiler for one: for batches that come from
    no DataLoader, whose wait is not seen otherwise. Where nothing does, the batches as they are."""
    return _timed(current_profiler(), batches, mode)


def _timed(profiler: TrainingProfiler | None, batches: Iterable[Batch], mode: str | None) -> Iterator[Batch]:
    if mode not in (None, TRAIN, EVAL):
        raise InvalidInput(f"mode is {mode!r}: {TRAIN!r}, {EVAL!r} or None is expected")
    if profiler is None:
        yield from batches
        return
    pacing = profiler.pacing
    with pacing.explicitly(mode):
        start_ns = perf_counter_ns()
        iterator = iter(batches)
        while True:
            try:
                batch = next(iterator)
            except StopIteration:
                pacing.end(start_ns)
                return
            end_ns = perf_counter_ns()
            pacing.begin(start_ns)
            pacing.pulled(0, start_ns, end_ns)
            yield batch
            start_ns = perf_counter_ns()
