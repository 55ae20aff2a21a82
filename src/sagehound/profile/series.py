"""The samples of a machine, as one series of numbers for each of its cores, devices and parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True)
class Series:
    """One quantity over time: `at_s` in seconds since the epoch, rising, and `values` of the same length."""

    node: str
    dimension: str
    name: str
    at_s: Floats
    values: Floats

    @property
    def label(self) -> str:
        """How it is called beside others: dimension, name and node."""
        return f"{self.dimension} {self.name} {self.node}"


def series_of(system: pa.Table, dimension: str = "", name: str = "", node: str = "") -> tuple[Series, ...]:
    """The series in a table of samples (tables.SYSTEM), in the order of node, dimension and name ("cpu2" before
    "cpu10"); those of one dimension, name or node alone where it is given."""
    found: dict[tuple[str, str, str], list[tuple[Floats, Floats]]] = {}
    for batch in system.unify_dictionaries().to_batches():
        keys, known = _keys(batch)
        at_s, values = (batch.column(column).to_numpy(zero_copy_only=False) for column in ("timestamp_s", "value"))
        for key in np.flatnonzero(np.bincount(keys)).tolist():
            its = _words(key, known)
            if all(word in ("", own) for word, own in zip((node, dimension, name), its, strict=True)):
                rows = np.flatnonzero(keys == key)
                found.setdefault(its, []).append((at_s[rows], values[rows]))
    ordered = sorted(found.items(), key=lambda each: (each[0][0], each[0][1], in_order(each[0][2])))
    return tuple(Series(*its, *map(np.concatenate, zip(*parts, strict=True))) for its, parts in ordered)


def in_order(name: str) -> tuple[str, int, str]:
    """Sorts "gpu2" before "gpu10"."""
    word = name.rstrip("0123456789")
    return word, int(name[len(word) :] or -1), name


def _keys(batch: pa.RecordBatch) -> tuple[np.ndarray, tuple[list[str], ...]]:
    """A number for each row that tells its node, dimension and name together, and the three lists of words."""
    columns = [batch.column(column) for column in ("node", "dimension", "name")]
    node, dimension, name = (column.indices.to_numpy(zero_copy_only=False) for column in columns)
    known = tuple(column.dictionary.to_pylist() for column in columns)
    return (node.astype(np.int32) * len(known[1]) + dimension) * len(known[2]) + name, known


def _words(key: int, known: tuple[list[str], ...]) -> tuple[str, str, str]:
    rest, name = divmod(key, len(known[2]))
    node, dimension = divmod(rest, len(known[1]))
    return known[0][node], known[1][dimension], known[2][name]
