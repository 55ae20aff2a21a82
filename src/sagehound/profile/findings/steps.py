"""A training's steps and their phases as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sagehound.profile.findings.samples import numbers
from sagehound.profile.profile import Profile
from sagehound.profile.series import Floats

PHASES = ("loader", "copy", "forward", "backward", "optimizer", "rest")
#: What is looked at of a row; the rest need not be copied.
_COLUMNS = ["name", "mode", "step", "start_s", "duration_s"]
#: So many rows are looked at at a time.
_PIECE = 1 << 18
#: A phase may begin so much before its step, by another clock's reading.
_TOLERANCE_S = 1e-5


@dataclass(frozen=True)
class Steps:
    """One process's steps in one mode, in order of time; arrays of one length.

    `starts` in seconds since the epoch, `durations` and `phases` in seconds: `phases["loader"][i]` is what step i spent
    waiting for its batch.
    """

    node: str
    pid: int
    mode: str
    numbers: np.ndarray
    starts: Floats
    durations: Floats
    phases: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def total_s(self) -> float:
        return float(self.durations.sum())

    @property
    def from_s(self) -> float:
        return float(self.starts[0])

    @property
    def to_s(self) -> float:
        return float(self.starts[-1] + self.durations[-1])

    def after(self, count: int) -> Steps:
        """Without the first so many."""
        return self.pick(np.arange(len(self)) >= count)

    def pick(self, chosen: np.ndarray) -> Steps:
        """Those for which `chosen` is true."""
        phases = {name: values[chosen] for name, values in self.phases.items()}
        kept = (self.numbers[chosen], self.starts[chosen], self.durations[chosen])
        return Steps(self.node, self.pid, self.mode, *kept, phases)

    def dominant(self) -> str:
        """The phase that took most of these steps; "rest" where none is known."""
        sums = {name: float(values.sum()) for name, values in self.phases.items()}
        return max(sums, key=lambda name: sums[name]) if any(sums.values()) else "rest"


def every_process(profile: Profile, mode: str | None = None) -> list[Steps]:
    """The steps of each node, process and mode; a row without a sensible time or duration is left out."""
    timeline = profile.timeline
    found: list[Steps] = []
    for node in _words(timeline, "node"):
        for pid in _words(timeline, "pid"):
            steps = pa.concat_tables(_rows(timeline, "step", node, pid))
            found += _modes(str(node), int(pid), steps, _rows(timeline, "phase", node, pid))
    return [each for each in found if mode in (None, each.mode)]


def slowest(profile: Profile, mode: str = "TRAIN") -> Steps | None:
    """The process whose steps took longest in all: where several train together, the others wait for it."""
    return max(every_process(profile, mode), key=lambda each: each.total_s, default=None)


def at_once(processes: Sequence[Steps]) -> int:
    """How many of these processes trained at the same time, at most, on one node; a process that came after another
    one's end is not beside it."""
    most = 0
    for node in {each.node for each in processes}:
        own = [each for each in processes if each.node == node and len(each)]
        most = max([most, *(sum(other.from_s <= each.from_s < other.to_s for other in own) for each in own)])
    return max(1, most)


def _modes(node: str, pid: int, steps: pa.Table, phases: Iterator[pa.Table]) -> Iterator[Steps]:
    starts, durations = numbers(steps, "start_s"), numbers(steps, "duration_s")
    sane = np.isfinite(starts) & np.isfinite(durations) & (durations >= 0)
    order = np.flatnonzero(sane)[np.argsort(starts[sane], kind="stable")]
    starts, durations = starts[order], durations[order]
    counts = np.nan_to_num(numbers(steps, "step"))[order].astype(np.int64)
    spent = _spent(starts, durations, phases)
    for mode in map(str, _words(steps, "mode")):
        of = _is(steps, "mode", mode).to_numpy()[order]
        if of.any():
            parts = {name: each[of] for name, each in spent.items()}
            yield Steps(node, pid, mode, counts[of], starts[of], durations[of], parts)


def _spent(starts: Floats, durations: Floats, phases: Iterator[pa.Table]) -> dict[str, Floats]:
    """What each step spent in each phase; a phase belongs to the step that it begins in."""
    spent: dict[str, Floats] = {name: np.zeros(len(starts)) for name in PHASES}
    if not len(starts):
        return spent
    for piece in phases:
        _add(spent, starts, durations, piece)
    return spent


def _add(spent: dict[str, Floats], starts: Floats, durations: Floats, phases: pa.Table) -> None:
    begun, lasted = numbers(phases, "start_s"), numbers(phases, "duration_s")
    place = np.searchsorted(starts, begun + _TOLERANCE_S, side="right") - 1
    inside = np.isfinite(begun) & np.isfinite(lasted) & (lasted >= 0) & (place >= 0)
    place = np.clip(place, 0, None)
    inside &= begun < starts[place] + durations[place] + _TOLERANCE_S
    for name, total in spent.items():
        chosen = inside & _is(phases, "name", name).to_numpy()
        np.add.at(total, place[chosen], lasted[chosen])


def _rows(timeline: pa.Table, category: str, node: str | int, pid: str | int) -> Iterator[pa.Table]:
    """The rows of one process, piece by piece: days of steps need no second copy of them."""
    for start in range(0, max(timeline.num_rows, 1), _PIECE):
        piece = timeline.slice(start, _PIECE)
        mine = pc.and_(_is(piece, "node", node), _is(piece, "pid", pid))
        yield piece.select(_COLUMNS).filter(pc.and_(mine, _is(piece, "category", category)))


def _is(rows: pa.Table, column: str, value: str | int) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(rows[column], value), False)


def _words(rows: pa.Table, column: str) -> list[str | int]:
    return sorted(word for word in rows[column].unique().to_pylist() if word is not None)
