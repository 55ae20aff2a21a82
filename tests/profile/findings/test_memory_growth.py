"""Memory that grows, and memory that only looks like it."""

import numpy as np
import pytest

from sagehound.profile.findings.registry import build
from sagehound.testing import recorded_profile as recorded
from tests.profile.findings.profiles import profile, samples, steps

SECONDS = np.arange(0, 60, 0.5)


def judged(course: np.ndarray, memory_bytes: int = 16 << 30) -> int:
    system = samples({("MemoryUsedPercent", "job"): course.tolist()})
    table = steps([0.5] * 120)
    return len(build("MemoryGrowth").judge(profile(system, table, memory_bytes=memory_bytes)).findings)


def test_a_leak_is_named_with_the_time_that_is_left() -> None:
    finding = build("MemoryGrowth").judge(recorded.memory_growth().profile).findings[0]
    assert finding.evidence["percent_per_hour"] == pytest.approx(1800)
    assert finding.gain_s is None
    assert "there is none left in" in finding.message


@pytest.mark.parametrize(("percent_per_s", "found"), [(0.5, 1), (0.02, 1), (0.005, 0)])
def test_a_leak_has_to_be_of_some_size(percent_per_s: float, found: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, len(SECONDS))
    assert judged(30 + percent_per_s * SECONDS + noise) == found


def test_a_leak_that_would_take_days_is_none() -> None:
    assert judged(1 + 0.001 * SECONDS, memory_bytes=2048 << 30) == 0


@pytest.mark.parametrize(
    "course",
    [
        30 + 0 * SECONDS,
        np.where(SECONDS < 10, 5, 40.0),
        30 + 10 * (1 - np.exp(-SECONDS / 6)),
        30 + 5 * np.sin(SECONDS / 3),
        np.minimum(20 + SECONDS, 45.0),
        30 + 8.0 * (SECONDS % 20 > 10),
    ],
    ids=["flat", "loading", "cache that fills", "to and fro", "data that are read in", "peaks"],
)
def test_what_ends_is_no_leak(course: np.ndarray) -> None:
    assert judged(course) == 0


def test_the_jobs_own_memory_counts_before_the_machines() -> None:
    rising = (30 + SECONDS * 0.5).tolist()
    both = samples({("MemoryUsedPercent", "machine"): rising, ("MemoryUsedPercent", "job"): [10.0] * len(SECONDS)})
    machine = samples({("MemoryUsedPercent", "machine"): rising})
    assert build("MemoryGrowth").judge(profile(both, steps([0.5] * 120))).findings == ()
    assert build("MemoryGrowth").judge(profile(machine, steps([0.5] * 120))).findings
