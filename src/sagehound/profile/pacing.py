"""Which call begins a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter_ns

from sagehound.profile.marks import BEGIN, END, LOADER, Marks

#: So many steps of optimizers on one batch, and the loader is not what paces the training.
_OPTIMIZER_STEPS = 8
#: Another model's calls are counted when it was called so often since the first one's last call.
_CALLS = 8


class Pacing:
    """Told of batches and of calls of models; notes where steps begin.

    A step begins where its batch is asked for. What is computed on that batch belongs to the step, however often models
    are called (a GAN calls its discriminator twice). Without a loader each call of the model that was called first
    begins one. Batches that follow each other from one iterator with nothing computed between them are no steps.

    `begun` counts the steps that were begun, in all modes; when it reaches `alarm`, `on_step` is called with it: all
    that does not happen in each step hangs there, so that a step costs one comparison.
    """

    def __init__(self, marks: Marks, on_step: Callable[[int], None]) -> None:
        self.begun = 0
        self.alarm = 1
        self._explicit = False
        self._marks, self._on_step = marks, on_step
        self._open = self._computed = False
        self._pulls: set[int] = set()
        self._optimizer_steps = 0
        self._model: int | None = None
        self._calls = 0
        self._mode: str | None = None

    @contextmanager
    def in_mode(self, mode: str | None) -> Iterator[None]:
        """Steps that begin within are of this mode; None: as it is seen."""
        before, self._mode = self._mode, mode
        try:
            yield
        finally:
            self._mode = before

    @contextmanager
    def explicitly(self, mode: str | None) -> Iterator[None]:
        """Within, steps begin and end where `begin` and `end` say, and nowhere else."""
        before, self._explicit = self._explicit, True
        try:
            with self.in_mode(mode or self._mode):
                yield
        finally:
            self._explicit = before

    def pulled(self, iterator: int, start_ns: int, end_ns: int) -> None:
        """A batch came from the iterator of that id."""
        if not self._explicit:
            if not self._open or self._computed or iterator in self._pulls:
                self.begin(start_ns)
            self._pulls.add(iterator)
        self._marks.append((LOADER, start_ns, end_ns, None))

    def exhausted(self, start_ns: int) -> None:
        """There was no more batch when one was asked for."""
        if self._open and not self._explicit:
            self.end(start_ns)

    def called(self, model: int) -> int:
        """A model of that id is about to be called; the time it is."""
        now_ns = perf_counter_ns()
        if self._model is None:
            self._model = model
        if not self._open or (self._computed and self._ticks(model)):
            self.begin(now_ns)
        self._computed = True
        return now_ns

    def optimized(self) -> None:
        """An optimizer took a step."""
        self._computed = True
        self._optimizer_steps += 1

    def begin(self, start_ns: int) -> None:
        self._open, self._computed = True, False
        self._pulls.clear()
        self._optimizer_steps = 0
        self._marks.append((BEGIN, start_ns, 0, self._mode))
        self.begun += 1
        if self.begun >= self.alarm:
            self._on_step(self.begun)

    def end(self, start_ns: int) -> None:
        self._open = False
        self._pulls.clear()
        self._marks.append((END, start_ns, 0, None))

    def _ticks(self, model: int) -> bool:
        if self._explicit:
            return False
        if self._model != model:
            self._calls += 1
            if self._calls < _CALLS:
                return False
            self._model = model
        self._calls = 0
        return not self._pulls or self._optimizer_steps >= _OPTIMIZER_STEPS
