"""A machine's samples side by side, by what they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from sagehound.profile.profile import Profile
from sagehound.profile.series import Floats, Series, series_of

#: Samples closer together than this are one look at the machine: its parts are read one after the other.
_SNAPSHOT_S = 0.02


@dataclass(frozen=True)
class Grid:
    """Several parts' courses side by side: `values[i, j]` is part j's at `at_s[i]`, NaN where it was not sampled."""

    at_s: Floats
    values: np.ndarray

    def between(self, from_s: float, to_s: float) -> Grid:
        inside = (self.at_s >= from_s) & (self.at_s <= to_s)
        return Grid(self.at_s[inside], self.values[inside])

    def mean(self) -> Floats:
        """The mean over the parts at each time; each row of a grid has at least one."""
        known = np.isfinite(self.values)
        return np.asarray(np.where(known, self.values, 0.0).sum(axis=1) / known.sum(axis=1))


def series(profile: Profile, dimension: str) -> dict[tuple[str, str], Series]:
    """Every part's samples of a dimension, by node and name, in order of time; what is no number is left out."""
    rows = profile.system
    if any(rows[column].null_count for column in ("node", "dimension", "name")):
        rows = rows.drop_null()
    found = {(each.node, each.name): clean(each) for each in series_of(rows, dimension)}
    return {key: each for key, each in found.items() if len(each.at_s)}


def cores(profile: Profile) -> dict[str, Grid]:
    """Each node's cores side by side, in percent: the parts of CPUUtilization that are named cpu0, cpu1 ..."""
    found: dict[str, list[Series]] = {}
    for (node, name), course in series(profile, "CPUUtilization").items():
        if name.startswith("cpu") and name[3:].isdigit():
            found.setdefault(node, []).append(course)
    return {node: grid(parts) for node, parts in found.items()}


def clean(course: Series) -> Series:
    """A course without samples that are no numbers, in order of time also where a clock was set back."""
    kept = np.flatnonzero(np.isfinite(course.at_s) & np.isfinite(course.values))
    kept = kept[np.argsort(course.at_s[kept], kind="stable")]
    return replace(course, at_s=course.at_s[kept], values=course.values[kept])


def grid(parts: Sequence[Series]) -> Grid:
    """The courses on one axis of time: samples within 20 ms are one snapshot."""
    times = np.concatenate([part.at_s for part in parts])
    order = np.argsort(times, kind="stable")
    snapshots = np.empty(len(times), dtype=np.int64)
    snapshots[order] = np.cumsum(np.diff(times[order], prepend=-np.inf) > _SNAPSHOT_S) - 1
    values = np.full((int(snapshots.max()) + 1, len(parts)), np.nan)
    columns = np.repeat(np.arange(len(parts)), [len(part.at_s) for part in parts])
    values[snapshots, columns] = np.concatenate([part.values for part in parts])
    starts = np.full(len(values), np.inf)
    np.minimum.at(starts, snapshots, times)
    return Grid(starts, values)


def too_short(at_s: Floats, samples: int, span_s: float) -> str:
    """Why so many samples are not enough to judge: how many there are over how long, and what is needed."""
    lasted = float(np.ptp(at_s)) if len(at_s) else 0.0
    return f"{len(at_s)} samples over {lasted:.1f} s are too few: {samples} over {span_s:g} s are needed"


def numbers(rows: pa.Table, column: str) -> Floats:
    """A column as numbers; NaN where it has none."""
    return np.asarray(rows[column].cast(pa.float64()).to_numpy(), dtype=np.float64)
