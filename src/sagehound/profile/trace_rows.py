"""Steps and phases from the timeline's files, in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa

from sagehound.profile.columns import Columns
from sagehound.profile.tables import TIMELINE
from sagehound.profile.trace_events import Record, records, rows_named, start_of
from sagehound.profile.trace_format import EVENTS_FOLDER, PHASES, STEP, WINDOW, node_in
from sagehound.profile.words import word_maker

#: Where the files are below the profiler's output.
FOLDER = f"{EVENTS_FOLDER}/"
_US_PER_S = 1e6
#: What a row stands for in the files of the original profiler, whose records have no category.
_ROWS = {"Step": ("step", "step")} | {row.partition("(")[0]: ("phase", phase) for phase, (_, row) in PHASES.items()}

#: More rows than these are not kept: 120 MB.
ROWS = 3_000_000
#: A step that takes so many times as long as steps of its mode do is kept whatever there is.
_LONG = 4.0

_Key = tuple[str, int, str, str, str]
_Row = tuple[_Key, int, float, float, bool]


@dataclass
class _File:
    """What the beginning of a file says of all its records."""

    node: str
    pid: int
    start_us: int | None = None
    rows: dict[int | str, str] = field(default_factory=dict)


class TraceRows:
    """The timeline as far as it was read; `problems` says what could not be, in words for people.

    Where there are more than `limit` rows, one step in two is kept, then one in four, and so on, whole with its phases;
    and every step that was much longer than others of its mode.
    """

    def __init__(self, limit: int = ROWS) -> None:
        self._limit, self.one_in = limit, 1
        self._long = _LongSteps()
        self._files: dict[str, _File] = {}
        self._codes: dict[_Key, int] = {}
        self._columns = Columns(np.int16, np.int64, float, float, bool)
        self._broken: dict[str, int] = {}
        self._headless: set[str] = set()

    def feed(self, name: str, data: bytes) -> int:
        """What was added to the file `name`; how many bytes of it need not be shown again."""
        found, broken, end = records(data)
        if broken:
            self._broken[name] = self._broken.get(name, 0) + broken
        file = self._files.setdefault(name, _file(name))
        file.start_us = file.start_us if file.start_us is not None else start_of(found)
        file.rows |= dict(rows_named(found))
        if file.start_us is None:
            self._headless |= {name} if found else set()
            return end
        rows = [row for row in self._long.marked(_rows(file, file.start_us, found)) if self._keeps(row)]
        if rows:
            self._add(rows)
        while len(self._columns) > self._limit:
            self._thin()
        return end

    def table(self) -> pa.Table:
        """Steps, phases and windows, sorted by their start; a step before its phases."""
        columns = self._columns
        if not columns:
            return TIMELINE.empty_table()
        columns.sort(lambda by: np.lexsort((-by[1], by[0])), 2, 3)
        node, category, name, mode = (
            columns.arrow(0, word_maker([str(key[place]) for key in self._codes])) for place in (0, 2, 3, 4)
        )
        pids = np.array([key[1] for key in self._codes], dtype=np.int64)
        pid = columns.arrow(0, lambda keys: pa.array(pids[keys]))
        numbers = [columns.arrow(place) for place in (1, 2, 3)]
        return pa.table([node, pid, category, name, mode, *numbers], schema=TIMELINE)

    @property
    def problems(self) -> tuple[str, ...]:
        found = []
        if self._broken:
            count, first = sum(self._broken.values()), next(iter(self._broken))
            found.append(f"{count} lines of the timeline could not be read, the first in {first}")
        if self._headless:
            found.append(f"{min(self._headless)} does not say what its times count from, and was left out")
        if self.one_in > 1:
            found.append(
                f"the timeline is long: one step in {self.one_in} was read, and every step that took more than "
                f"{_LONG:g} times as long as others"
            )
        return tuple(found)

    def _keeps(self, row: _Row) -> bool:
        return row[4] or row[1] % self.one_in == 0

    def _thin(self) -> None:
        """Half of the steps go; a step of -1 belongs to none, and stays."""
        self.one_in *= 2
        before = len(self._columns)
        self._columns.keep(lambda columns: (columns[1] % self.one_in == 0) | (columns[1] < 0) | columns[4])
        # Where next to nothing goes by steps, the limit is what has to go.
        if len(self._columns) > 0.9 * before:
            self._limit *= 2

    def _add(self, rows: list[_Row]) -> None:
        keys, steps, starts_s, durations_s, long = zip(*rows, strict=True)
        for key in dict.fromkeys(keys):
            self._codes.setdefault(key, len(self._codes))
        codes = np.array([self._codes[key] for key in keys], dtype=np.int16)
        self._columns.add(codes, np.array(steps), np.array(starts_s), np.array(durations_s), np.array(long))


def _file(name: str) -> _File:
    try:
        return _File(*node_in(PurePosixPath(name).name))
    except IndexError:
        return _File("algo-1", 0)


class _LongSteps:
    """Marks steps that take much longer than others of their mode did so far, and the phases that follow them."""

    def __init__(self) -> None:
        self._means: dict[tuple[str, int, str], tuple[int, float]] = {}
        self._last: dict[tuple[str, int, str], tuple[int, bool]] = {}

    def marked(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        for key, step, start_s, duration_s, _ in rows:
            node, pid, category, _, mode = key
            own = (node, pid, mode)
            if category == STEP:
                count, mean_s = self._means.get(own, (0, duration_s))
                self._means[own] = (count + 1, mean_s + (duration_s - mean_s) / (count + 1))
                self._last[own] = (step, duration_s > _LONG * mean_s)
            last, long = self._last.get(own, (-1, False))
            yield key, step, start_s, duration_s, category == WINDOW or step < 0 or (long and last == step)


def _rows(file: _File, start_us: int, found: Sequence[Record]) -> Iterator[_Row]:
    for record in found:
        if record.phase != "X" or record.duration_us < 0:
            continue
        category, name = _meant(record, file.rows.get(record.pid, ""))
        if not category:
            continue
        args = record.args
        step, mode = _number(args.step if args else None), args.mode if args else ""
        mode = mode or _mode(record.name)
        pid = (args.pid if args else None) or file.pid
        yield (
            (file.node, pid, category, name, mode),
            step,
            (start_us + record.ts) / _US_PER_S,
            record.duration_us / _US_PER_S,
            False,
        )


def _meant(record: Record, row: str) -> tuple[str, str]:
    """Category and name, by what the record says or, in the original's files, by the row that it is in."""
    if record.category:
        return record.category, STEP if record.category == STEP else record.name
    return next((meant for begin, meant in _ROWS.items() if row.startswith(begin)), ("", ""))


def _number(step: int | str | None) -> int:
    try:
        return int(step) if step is not None else -1
    except ValueError:
        return -1


def _mode(name: str) -> str:
    """The mode in a name as "Step:ModeKeys.TRAIN"."""
    return name.rpartition("ModeKeys.")[2] if "ModeKeys." in name else ""
