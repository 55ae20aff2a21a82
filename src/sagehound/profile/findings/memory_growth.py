"""Memory that grows step by step, until there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.samples import series, too_short
from sagehound.profile.findings.steps import every_process
from sagehound.profile.profile import Profile
from sagehound.profile.series import Series

#: The first quarter of the training is not judged: buffers, caches and workers come to be.
_WARM_UP = 0.25
#: Stretches that must each lie above the one before.
_STRETCHES = 5
_HOUR_S = 3600.0
_MIB = 1 << 20


@dataclass(frozen=True)
class MemoryGrowth:
    """The job's memory rises from the first quarter of the training to its end, without rest, and at that pace the
    machine's is used up within `horizon_h` hours.

    Of the job's own processes where they were sampled, of the machine else. The rise must be steady (each fifth's
    median above that of the one before, and the last half at no less than a third of the mean pace, so that a cache
    that is filled does not count), at least `min_growth_mb` MiB (`min_growth_percent` of the memory where its size is
    not known), and be seen over `min_samples` samples and `min_span_s` seconds. What is lost is the job, not time:
    there is no gain in seconds; the evidence says when the memory would be used up.
    """

    horizon_h: float = 24
    min_growth_mb: float = 64
    min_growth_percent: float = 1
    min_samples: int = 20
    min_span_s: float = 3.0

    name: ClassVar[str] = "MemoryGrowth"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"min_samples": (10, 10**9)}

    def judge(self, profile: Profile) -> Verdict:
        courses = _job_or_machine(series(profile, "MemoryUsedPercent"))
        judged = [_training_part(profile, each) for each in courses]
        judged = [c for c in judged if len(c.at_s) >= self.min_samples and np.ptp(c.at_s) >= self.min_span_s]
        if not judged:
            return self._unable([_training_part(profile, each) for each in courses])
        found = [each for each in (self._look(profile, course) for course in judged) if each]
        return Verdict(
            rule=self.name,
            findings=tuple(found),
            violations=len(found),
            datapoints=max(len(each.at_s) for each in judged),
            parameters=asdict(self),
            details={each.node: {"last_percent": float(each.values[-1]), "pace": _pace(each)} for each in judged},
        )

    def _unable(self, courses: list[Series]) -> Verdict:
        longest = max(courses, key=lambda each: len(each.at_s), default=None)
        reason = "the memory was not sampled"
        if longest is not None:
            after = "once the training was warm (a quarter of it): "
            reason = after + too_short(longest.at_s, self.min_samples, self.min_span_s)
        seen = 0 if longest is None else len(longest.at_s)
        return Verdict(rule=self.name, datapoints=seen, parameters=asdict(self), unable=reason)

    def _look(self, profile: Profile, course: Series) -> Finding | None:
        medians = [float(np.median(part)) for part in np.array_split(course.values, _STRETCHES)]
        rise, span_s = medians[-1] - medians[0], float(np.ptp(course.at_s)) * (1 - 1 / _STRETCHES)
        last_half = _pace(_tail(course, 0.5))
        steady = bool((np.diff(medians) > 0).all()) and last_half > rise / span_s / 3
        enough = self.min_growth_percent
        if profile.job.memory_bytes:
            enough = 100 * self.min_growth_mb * _MIB / profile.job.memory_bytes
        if not steady or rise < enough:
            return None
        left_s = (100 - float(course.values[-1])) / last_half
        return self._finding(profile, course, rise, left_s, last_half) if left_s < self.horizon_h * _HOUR_S else None

    def _finding(self, profile: Profile, course: Series, rise: float, left_s: float, pace: float) -> Finding:
        total = profile.job.memory_bytes
        much = f"{rise / 100 * total / _MIB:.0f} MiB" if total else f"{rise:.1f} % of the machine's"
        whose = "The job's memory" if course.name == "job" else "The machine's memory in use"
        return Finding(
            rule=self.name,
            message=f"{whose} on {course.node} grows steadily, by {much} in {np.ptp(course.at_s):.0f} s to "
            f"{course.values[-1]:.0f} %; at this pace there is none left in {_words(left_s)}.",
            change="Keep numbers, not tensors with their graphs, from step to step; and bound every list and cache.",
            code="losses.append(loss.item())",
            evidence={
                "rise_percent": rise,
                "percent_per_hour": pace * _HOUR_S,
                "exhausted_in_s": left_s,
                "last_percent": float(course.values[-1]),
            },
            from_s=float(course.at_s[0]),
            to_s=float(course.at_s[-1]),
        )


def _job_or_machine(courses: Mapping[tuple[str, str], Series]) -> list[Series]:
    """Of each node the job's memory, or the machine's where that is all there is."""
    found: dict[str, Series] = {}
    for (node, name), course in courses.items():
        if name == "job" or node not in found:
            found[node] = course
    return list(found.values())


def _training_part(profile: Profile, course: Series) -> Series:
    """From the end of the warm-up on to the last step; without steps, of the whole course."""
    steps = [each for each in every_process(profile) if each.node == course.node]
    first = min((each.from_s for each in steps), default=float(course.at_s[0]))
    last = max((each.to_s for each in steps), default=float(course.at_s[-1]))
    kept = (course.at_s >= first + _WARM_UP * (last - first)) & (course.at_s <= last)
    return _pick(course, kept)


def _tail(course: Series, share: float) -> Series:
    return _pick(course, course.at_s >= course.at_s[-1] - share * np.ptp(course.at_s))


def _pick(course: Series, kept: np.ndarray) -> Series:
    return Series(course.node, course.dimension, course.name, course.at_s[kept], course.values[kept])


def _pace(course: Series) -> float:
    """The slope in percent a second: Theil's, over pairs half the course apart, which single jumps do not move."""
    half = len(course.at_s) // 2
    if not half:
        return 0.0
    apart = course.at_s[half:] - course.at_s[:-half]
    rises = course.values[half:] - course.values[:-half]
    return float(np.median(rises[apart > 0] / apart[apart > 0])) if (apart > 0).any() else 0.0


def _words(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 2 * _HOUR_S else f"{seconds / _HOUR_S:.1f} hours"
