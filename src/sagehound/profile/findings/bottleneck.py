"""Snapshots in which the GPU waited for another part of the machine: what two rules count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sagehound.profile.findings.samples import Grid, grid
from sagehound.profile.profile import Profile
from sagehound.profile.series import Floats, Series

#: So many of the snapshots are listed in a report's file; all are counted.
_MOST_LISTED = 1000


@dataclass(frozen=True)
class Waiting:
    """`at_s` are the snapshots at which a GPU was used by less than its limit while the other part was above its own;
    `low` counts those with a low GPU, `points` all. `gpus` and `others` say how many of each there were."""

    points: int
    low: int
    at_s: Floats
    gpus: np.ndarray
    others: np.ndarray

    @property
    def share(self) -> float:
        """Of all snapshots, in percent."""
        return 100 * len(self.at_s) / self.points if self.points else 0.0

    def details(self, other: str) -> dict[str, Any]:
        """As the documented file has them: by snapshot, and how often the GPU was low."""
        listed = zip(self.at_s, self.gpus, self.others, strict=True)
        found = {f"{at:.3f}": {"GPUs": int(gpus), other: int(others)} for at, gpus, others in listed}
        return {"low_gpu_utilization": self.low, **dict(list(found.items())[:_MOST_LISTED])}


def waiting(
    gpus: Mapping[tuple[str, str], Series],
    others: Mapping[str, Iterable[Series]],
    gpu_below: float,
    other_above: float,
) -> Waiting:
    """What each node's GPUs and its other parts say together; nodes count together."""
    parts = []
    for node in sorted({node for node, _ in gpus}):
        own, beside = [course for (n, _), course in gpus.items() if n == node], list(others.get(node, ()))
        if beside:
            parts.append(_of_node(grid([*own, *beside]), len(own), gpu_below, other_above))
    if not parts:
        return Waiting(0, 0, np.zeros(0), np.zeros(0), np.zeros(0))
    joined = [np.concatenate([getattr(each, name) for each in parts]) for name in ("at_s", "gpus", "others")]
    return Waiting(sum(each.points for each in parts), sum(each.low for each in parts), *joined)


def _of_node(table: Grid, gpus: int, gpu_below: float, other_above: float) -> Waiting:
    low = (table.values[:, :gpus] < gpu_below).sum(axis=1)
    high = (table.values[:, gpus:] > other_above).sum(axis=1)
    both = (low > 0) & (high > 0)
    return Waiting(len(table.at_s), int((low > 0).sum()), table.at_s[both], low[both], high[both])


def by_node(courses: Mapping[tuple[str, str], Series]) -> dict[str, list[Series]]:
    found: dict[str, list[Series]] = {}
    for (node, _), course in courses.items():
        found.setdefault(node, []).append(course)
    return found


def workers(profile: Profile) -> int:
    """How many loader workers to suggest."""
    return max(2, profile.job.threads or profile.job.cores or 4)
