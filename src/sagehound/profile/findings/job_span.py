"""When a job ran, and what is known of its settings."""

from __future__ import annotations

import math

import numpy as np

from sagehound.profile.profile import Profile


def span(profile: Profile) -> tuple[float, float]:
    """From when to when the job ran, in seconds since the epoch: as the service says, else as the tables show; (0, 0)
    for a job of which nothing is known."""
    begins, ends = _recorded(profile)
    begin = profile.job.started_s if profile.job.started_s is not None else begins
    end = profile.job.ended_s if profile.job.ended_s is not None else ends
    if begin is None or end is None or end < begin:
        begin, end = (begins or 0.0), (ends or 0.0)
    return begin, end


def length_s(profile: Profile) -> float:
    begin, end = span(profile)
    return end - begin


def fact(profile: Profile, name: str) -> float | None:
    """A setting of the training as a number; None where it is not known or none."""
    value = profile.job.facts.get(name)
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def said(profile: Profile, name: str) -> str:
    """A setting of the training as lower-case text; "" where it is not known."""
    return str(profile.job.facts.get(name, "")).strip().lower()


def _recorded(profile: Profile) -> tuple[float | None, float | None]:
    begins, ends = [], []
    for table, column in ((profile.system, "timestamp_s"), (profile.timeline, "start_s")):
        for chunk in table[column].iterchunks():
            times = chunk.to_numpy(zero_copy_only=False)
            times = times[np.isfinite(times)]
            if len(times):
                begins.append(float(times.min()))
                ends.append(float(times.max()))
    return min(begins, default=None), max(ends, default=None)
