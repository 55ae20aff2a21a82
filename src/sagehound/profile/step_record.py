"""One step as it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: A phase: its name, start and end, in nanoseconds of the process's own clock.
Span = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step of `mode`, the `index`-th of it. Its phases are in order and do not overlap."""

    mode: str
    index: int
    start_ns: int
    end_ns: int
    phases: tuple[Span, ...]


def exclusive(spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap: what runs within another is cut out of it.

    >>> exclusive([("forward", 0, 10), ("copy", 2, 4)])
    [('forward', 0, 2), ('copy', 2, 4), ('forward', 4, 10)]
    >>> exclusive([("forward", 0, 10), ("forward", 3, 5), ("backward", 12, 20)])
    [('forward', 0, 10), ('backward', 12, 20)]
    """
    ordered = sorted(spans, key=_outer_first)
    last = -1
    for _, start, end in ordered:
        if start < last:
            return list(_cut(ordered))
        last = end
    return ordered


def gaps(spans: Iterable[Span], start_ns: int, end_ns: int, least_ns: float) -> Iterator[Span]:
    """What is between spans that do not overlap, where it is at least so long.

    >>> list(gaps([("loader", 0, 3), ("forward", 5, 8)], 0, 10, 1))
    [('rest', 3, 5), ('rest', 8, 10)]
    """
    reached = start_ns
    for _, start, end in spans:
        if start - reached >= least_ns and start > reached:
            yield "rest", reached, start
        reached = max(reached, end)
    if end_ns - reached >= least_ns and end_ns > reached:
        yield "rest", reached, end_ns


def _outer_first(span: Span) -> tuple[int, int]:
    return span[1], -span[2]


def _cut(ordered: list[Span]) -> Iterator[Span]:
    open_spans: list[Span] = []
    pieces: list[Span] = []
    reached = 0
    for span in [*ordered, ("", 1 << 63, 1 << 63)]:
        while open_spans and open_spans[-1][2] <= span[1]:
            name, start, end = open_spans.pop()
            pieces.append((name, max(start, reached), end))
            reached = max(reached, end)
        if open_spans:
            name, start, _ = open_spans[-1]
            pieces.append((name, max(start, reached), span[1]))
        reached = max(reached, span[1])
        open_spans.append(span)
    return _joined(piece for piece in pieces if piece[2] > piece[1])


def _joined(pieces: Iterable[Span]) -> Iterator[Span]:
    """Pieces of one phase that touch are one."""
    held: Span | None = None
    for piece in pieces:
        if held is not None and held[0] == piece[0] and held[2] == piece[1]:
            held = (held[0], held[1], piece[2])
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held
