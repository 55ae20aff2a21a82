"""What a report keeps of a machine's samples: the spread of each series, and a line of as many points as are seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from sagehound.profile.report.chart import Line, line
from sagehound.profile.series import Floats, Series, in_order

Key = tuple[str, str, str]
#: So many samples are looked at at a time.
_ROWS = 1 << 18
#: A device below this many percent has nothing to do.
IDLE_PERCENT = 10.0


@dataclass(frozen=True)
class Spread:
    """Percentiles and mean of the values that are numbers, and how many they are."""

    points: int
    mean: float
    low: float
    p5: float
    p50: float
    p95: float
    p99: float
    high: float


@dataclass(frozen=True)
class Digest:
    """One quantity of one part. `spread` is None where no value is a number, `line` where none lies within the job.
    `idle_s` is for how long it was below IDLE_PERCENT. `whole` stands for all cores of a node, and has no line."""

    node: str
    dimension: str
    name: str
    spread: Spread | None
    line: Line | None
    idle_s: float
    whole: bool = False

    @property
    def is_core(self) -> bool:
        """Whether this is one core; other names are those of the job or the machine as a whole."""
        return self.dimension == "CPUUtilization" and re.fullmatch("cpu[0-9]+", self.name) is not None


def digests(system: pa.Table, span: tuple[float, float]) -> tuple[Digest, ...]:
    """Of every series in a table of samples, in the order of node, dimension and name. One series at a time is taken
    out of the table, so that days of samples need no second copy of them."""
    found: list[Digest] = []
    cores: list[np.ndarray] = []
    for key, following in pairwise((*sorted(_keys(system), key=_order), None)):
        assert key is not None
        each = _series(system, key)
        found.append(_digest(each, span))
        if found[-1].is_core:
            cores.append(each.values.astype(np.float32))
        if following is None or following[:2] != key[:2]:
            found += _whole(key, cores)
            cores = []
    return tuple(found)


def spread(values: Floats) -> Spread | None:
    """How values spread; None where none is a number."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    mean, points = float(known.mean(dtype=np.float64)), len(known)
    low, p5, p50, p95, p99, high = np.percentile(known, (0, 5, 50, 95, 99, 100), overwrite_input=True).tolist()
    return Spread(points, mean, low, p5, p50, p95, p99, high)


def _order(key: Key) -> tuple[str, str, tuple[str, int, str]]:
    return key[0], key[1], in_order(key[2])


def _batches(system: pa.Table) -> Iterator[tuple[pa.RecordBatch, list[pa.DictionaryArray]]]:
    for batch in system.to_batches(max_chunksize=_ROWS):
        yield batch, [batch.column(column) for column in ("node", "dimension", "name")]


def _keys(system: pa.Table) -> set[Key]:
    """Node, dimension and name of every series."""
    found: set[Key] = set()
    for _, columns in _batches(system):
        codes = [column.indices.to_numpy(zero_copy_only=False).astype(np.int32) for column in columns]
        words = [column.dictionary.to_pylist() for column in columns]
        together = np.bincount((codes[0] * len(words[1]) + codes[1]) * len(words[2]) + codes[2])
        for key in np.flatnonzero(together).tolist():
            rest, name = divmod(key, len(words[2]))
            found.add((words[0][rest // len(words[1])], words[1][rest % len(words[1])], words[2][name]))
    return found


def _series(system: pa.Table, key: Key) -> Series:
    times, values = [np.zeros(0)], [np.zeros(0)]
    for batch, columns in _batches(system):
        rows = np.ones(batch.num_rows, dtype=bool)
        for column, word in zip(columns, key, strict=True):
            known = column.dictionary.to_pylist()
            rows &= column.indices.to_numpy(zero_copy_only=False) == (known.index(word) if word in known else -1)
        times.append(batch.column("timestamp_s").to_numpy(zero_copy_only=False)[rows])
        values.append(batch.column("value").to_numpy(zero_copy_only=False)[rows])
    return Series(*key, np.concatenate(times), np.concatenate(values))


def _digest(each: Series, span: tuple[float, float]) -> Digest:
    idle = float((each.values < IDLE_PERCENT).mean()) * float(each.at_s[-1] - each.at_s[0])
    drawn = line(each.name, each.at_s, each.values, 0, span)
    return Digest(each.node, each.dimension, each.name, spread(each.values), drawn, idle)


def _whole(key: Key, cores: list[np.ndarray]) -> Iterator[Digest]:
    if len(cores) > 1:
        yield Digest(key[0], key[1], f"all {len(cores)} cores", spread(np.concatenate(cores)), None, 0.0, whole=True)
