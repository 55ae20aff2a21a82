"""Fewer points that look the same: mean, minimum and maximum of each bucket of time, so that no peak is lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sagehound.profile.series import Floats


@dataclass(frozen=True)
class Buckets:
    """Equal stretches of time that have samples: `at_s` is the mean time of a bucket's samples, `count` how many."""

    at_s: Floats
    minimum: Floats
    mean: Floats
    maximum: Floats
    count: np.ndarray


def downsample(
    at_s: Floats, values: Floats, buckets: int, from_s: float | None = None, to_s: float | None = None
) -> Buckets:
    """At most `buckets` buckets between `from_s` and `to_s` (the first and the last sample for None).

    `at_s` need not rise; samples outside the stretch, and values that are no numbers, are left out. Series that are
    shown above each other are given the same stretch, so that their buckets are the same.
    """
    known = np.isfinite(values) & np.isfinite(at_s)
    if from_s is not None:
        known &= at_s >= from_s
    if to_s is not None:
        known &= at_s <= to_s
    if not known.all():
        at_s, values = at_s[known], values[known]
    if not len(at_s):
        none = np.zeros(0)
        return Buckets(none, none, none, none, np.zeros(0, dtype=np.int64))
    first = float(at_s.min()) if from_s is None else from_s
    last = float(at_s.max()) if to_s is None else to_s
    places = _places(at_s, first, last, buckets)
    if (np.diff(places) < 0).any():
        order = np.argsort(places, kind="stable")
        places, at_s, values = places[order], at_s[order], values[order]
    starts = np.concatenate(([0], np.flatnonzero(np.diff(places)) + 1))
    count = np.diff(np.append(starts, len(places)))
    return Buckets(
        np.add.reduceat(at_s - first, starts) / count + first,
        np.minimum.reduceat(values, starts),
        np.add.reduceat(values, starts) / count,
        np.maximum.reduceat(values, starts),
        count,
    )


def extremes(at_s: Floats, values: Floats, points: int) -> tuple[Floats, Floats]:
    """At most `points` of the samples themselves: the lowest and the highest of each bucket, in the order of time."""
    if len(at_s) <= points:
        return at_s, values
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return at_s[:0], values[:0]
    order = known[np.argsort(at_s[known], kind="stable")]
    at_s, values = at_s[order], values[order]
    places = _places(at_s, float(at_s[0]), float(at_s[-1]), max(1, points // 2))
    ranked = np.lexsort((values, places))
    ends = np.append(np.flatnonzero(np.diff(places)), len(places) - 1)
    starts = np.concatenate(([0], ends[:-1] + 1))
    kept = np.unique(np.concatenate((ranked[starts], ranked[ends])))
    return at_s[kept], values[kept]


def _places(at_s: Floats, first: float, last: float, buckets: int) -> np.ndarray:
    if last <= first:
        return np.zeros(len(at_s), dtype=np.int64)
    return np.minimum(((at_s - first) / (last - first) * buckets).astype(np.int64), buckets - 1)
