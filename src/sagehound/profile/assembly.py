"""Making steps of marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sagehound.profile.marks import BACKWARD, BEGIN, END, FORWARD, OPTIMIZER, WINDOW, Mark
from sagehound.profile.step_record import Span, StepRecord, exclusive
from sagehound.profile.trace_format import EVAL, TRAIN


class Assembler:
    """Takes marks in the order in which they were made and gives each step when it has ended.

    A step in which nothing was computed is none: batches that a script draws to look at them. Its mode is what the user
    said; else TRAIN where it learned or its forward could have; else EVAL.
    """

    def __init__(self) -> None:
        self._counts = {TRAIN: 0, EVAL: 0}
        self._start: int | None = None
        self._said: str | None = None
        self._spans: list[Span] = []
        self._learns = self._computes = False
        self._last_ns = 0

    def feed(self, marks: Iterable[Mark]) -> Iterator[StepRecord]:
        for kind, start, end, more in marks:
            if kind is BEGIN or kind is END:
                yield from self._ended(start)
                self._start = start if kind is BEGIN else None
                self._said = more
            elif kind is not WINDOW:
                self._phase(kind, start, end, more)

    def close(self) -> Iterator[StepRecord]:
        """The step that was under way: it ends with the last that was seen of it."""
        yield from self._ended(self._last_ns)
        self._start = None

    def _phase(self, kind: str, start: int, end: int, more: str | None) -> None:
        if self._start is None:
            return
        self._spans.append((kind, max(start, self._start), end))
        self._last_ns = max(self._last_ns, end)
        if kind is FORWARD:
            self._computes = True
            self._learns |= more == TRAIN
        elif kind is BACKWARD or kind is OPTIMIZER:
            self._computes = self._learns = True

    def _ended(self, end_ns: int) -> Iterator[StepRecord]:
        if self._start is not None and (self._computes or self._said):
            mode = self._said or (TRAIN if self._learns else EVAL)
            end_ns = max(end_ns, self._start)
            # A call that a step's end cuts through (a forward that begins the next one) belongs to the next.
            phases = tuple(span for span in exclusive(self._spans) if span[1] < end_ns)
            yield StepRecord(mode, self._counts[mode], self._start, end_ns, phases)
            self._counts[mode] += 1
        self._spans = []
        self._learns = self._computes = False
