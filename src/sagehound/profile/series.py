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
    keys, (nodes, dimensions, names) = _keys(system)
    kept = _kept(keys, (nodes, dimensions, names), (node, dimension, name))
    at_s, values = _numbers(system["timestamp_s"]), _numbers(system["value"])
    found = []
    for key in kept:
        rows = np.flatnonzero(keys == key)
        rest, name_at = divmod(int(key), len(names))
        node_at, dimension_at = divmod(rest, len(dimensions))
        found.append(Series(nodes[node_at], dimensions[dimension_at], names[name_at], at_s[rows], values[rows]))
    return tuple(sorted(found, key=lambda each: (each.node, each.dimension, in_order(each.name))))


def in_order(name: str) -> tuple[str, int, str]:
    """Sorts "gpu2" before "gpu10"."""
    word = name.rstrip("0123456789")
    return word, int(name[len(word) :] or -1), name


def words(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """A column of words as the place of each row's word, and the words."""
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], type=column.type)
    return whole.indices.to_numpy(zero_copy_only=False), whole.dictionary.to_pylist()


def _keys(system: pa.Table) -> tuple[np.ndarray, tuple[list[str], list[str], list[str]]]:
    """A number for each row that tells its node, dimension and name together, and the three lists of words."""
    places, known = zip(*(words(system[column]) for column in ("node", "dimension", "name")), strict=True)
    keys = (places[0].astype(np.int32) * len(known[1]) + places[1]) * len(known[2]) + places[2]
    return keys, known


def _kept(keys: np.ndarray, known: tuple[list[str], ...], wanted: tuple[str, ...]) -> list[int]:
    kept = []
    for key in np.flatnonzero(np.bincount(keys)).tolist():
        rest, name = divmod(key, len(known[2]))
        node, dimension = divmod(rest, len(known[1]))
        its = (known[0][node], known[1][dimension], known[2][name])
        if all(word in ("", own) for word, own in zip(wanted, its, strict=True)):
            kept.append(key)
    return kept


def _numbers(column: pa.ChunkedArray) -> Floats:
    numbers: Floats = column.to_numpy()
    return numbers
