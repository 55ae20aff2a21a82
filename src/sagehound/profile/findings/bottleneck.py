"""Snapshots in which a GPU waited for another part of the machine: what two rules count and say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.gpus import impatient, utilisation, without
from sagehound.profile.findings.job_span import length_s
from sagehound.profile.findings.samples import Grid, grid
from sagehound.profile.profile import Profile
from sagehound.profile.series import Floats, Series

#: So many of the snapshots are listed in a report's file; all are counted.
_MOST_LISTED = 1000


@dataclass(frozen=True)
class Cause:
    """What a GPU waits for: courses by node, and from where on (`above`, in percent) one of them counts. `listed` is
    its word in the rule's file, the others are those of the finding."""

    courses: Mapping[str, Iterable[Series]]
    above: float
    listed: str
    seen: str
    change: str
    code: str
    beside: str


class Bottleneck(Protocol):
    """A rule that fires when in more than `threshold` percent of the snapshots a GPU is used by less than
    `gpu_threshold` while its cause is above its own limit; judged once more than `patience` snapshots are there."""

    @property
    def name(self) -> str: ...
    @property
    def threshold(self) -> float: ...
    @property
    def gpu_threshold(self) -> float: ...
    @property
    def patience(self) -> int: ...


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


def verdict(rule: Bottleneck, parameters: Mapping[str, Any], profile: Profile, cause: Cause) -> Verdict:
    """What a rule says of its cause. Gain: were the other part's work done beside the GPU's, the snapshots would be
    saved; so it is at most their share of the job."""
    gpus = utilisation(profile)
    seen = waiting(gpus, cause.courses, rule.gpu_threshold, cause.above)
    unable = without(profile, gpus) or impatient(seen.points, rule.patience)
    fires = not unable and seen.share > rule.threshold
    return Verdict(
        rule=rule.name,
        findings=(_finding(rule, profile, seen, cause),) if fires else (),
        violations=len(seen.at_s),
        datapoints=seen.points,
        parameters=parameters,
        details=seen.details(cause.listed),
        unable=unable,
    )


def _finding(rule: Bottleneck, profile: Profile, seen: Waiting, cause: Cause) -> Finding:
    return Finding(
        rule=rule.name,
        message=f"In {seen.share:.0f} % of {seen.points} snapshots a GPU was used by less than "
        f"{rule.gpu_threshold:g} % while {cause.seen}.",
        change=cause.change,
        code=cause.code,
        evidence={"bottlenecks": len(seen.at_s), "snapshots": seen.points, "share_percent": seen.share},
        from_s=float(seen.at_s[0]),
        to_s=float(seen.at_s[-1]),
        gain_s=length_s(profile) * seen.share / 100,
        estimate=f"at most: the share of these snapshots of the job's time, were {cause.beside}",
    )


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
