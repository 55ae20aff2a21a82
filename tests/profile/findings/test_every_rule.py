"""Every rule, over profiles of all sorts: healthy, slow, empty and odd."""

import math
from collections.abc import Callable

import pyarrow as pa
import pytest

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.json_report import document
from sagehound.profile.findings.judging import failure, judged
from sagehound.profile.findings.profiler_report import ProfilerReport
from sagehound.profile.findings.registry import DOCUMENTED, RULES, build
from sagehound.profile.profile import JobFacts, Profile
from sagehound.profile.tables import SYSTEM, TIMELINE
from sagehound.testing import recorded_profile as recorded
from tests.profile.findings.profiles import START, profile, samples, steps

GPU_RULES = ("BatchSize", "CPUBottleneck", "GPUMemoryIncrease", "IOBottleneck", "LoadBalancing", "LowGPUUtilization")


def _with_nan() -> Profile:
    values = [10.0, math.nan, math.inf, 30.0] * 30
    dimensions = ("CPUUtilization", "MemoryUsedPercent", "GPUUtilization", "GPUMemoryUtilization", "I/OWaitPercentage")
    names = ("cpu0", "job", "gpu0", "gpu0", "machine")
    system = samples(dict.fromkeys(zip(dimensions, names, strict=True), values))
    return profile(system, steps([math.nan, -1.0, 0.0, 0.1] * 30), gpus=1)


def _clock_set_back() -> Profile:
    whole = recorded.healthy_gpu().profile
    half = whole.system.num_rows // 2
    column = whole.system.schema.get_field_index("timestamp_s")
    times = whole.system["timestamp_s"].to_pylist()
    jumped = [at if place < half else at - 3600 for place, at in enumerate(times)]
    system = whole.system.set_column(column, "timestamp_s", pa.array(jumped))
    at = whole.timeline.schema.get_field_index("start_s")
    starts = [
        each - 3600 if place % 7 == 0 else each for place, each in enumerate(whole.timeline["start_s"].to_pylist())
    ]
    return Profile(job=whole.job, system=system, timeline=whole.timeline.set_column(at, "start_s", pa.array(starts)))


def _nulls() -> Profile:
    system = pa.table(
        [pa.array([START, None]), *[pa.array([None, "x"])] * 3, pa.array([None, 1.0])], names=SYSTEM.names
    )
    row = dict.fromkeys(TIMELINE.names)
    timeline = pa.Table.from_pylist([row, {**row, "category": "step"}, {**row, "category": "phase"}], schema=TIMELINE)
    return profile(system.cast(SYSTEM), timeline, facts={"torch_threads": "many", "loader_workers": "", "bf16": "new"})


ODD: dict[str, Callable[[], Profile]] = {
    "nothing": lambda: Profile(job=JobFacts(name="empty")),
    "one sample": lambda: profile(samples({("CPUUtilization", "cpu0"): [50.0], ("GPUUtilization", "gpu0"): [1.0]})),
    "one step": lambda: profile(timeline=steps([0.2])),
    "numbers that are none": _with_nan,
    "a clock set back": _clock_set_back,
    "nulls": _nulls,
    "steps of no time": lambda: profile(timeline=steps([0.0] * 200), facts={"torch_threads": 8, "loader_workers": 0}),
    "a death in the first second": lambda: recorded.RecordedProfile(steps=2, init_s=0.2, final_s=0.0).profile,
    "ended before it started": lambda: profile(timeline=steps([0.2] * 50), started_s=START, ended_s=START - 10),
    "many processes": lambda: recorded.RecordedProfile(nodes=("algo-1", "algo-2"), gpus=2, steps=150).profile,
}
HEALTHY: dict[str, Callable[[], recorded.RecordedProfile]] = {
    "on cores": recorded.healthy,
    "on a GPU": recorded.healthy_gpu,
    "short": lambda: recorded.RecordedProfile(steps=25, init_s=1.0, eval_every=20, eval_steps=5),
    "long": lambda: recorded.RecordedProfile(steps=4000, slow_steps={0: 20.0}),
}


def sound(verdict: Verdict) -> None:
    """What holds for whatever a rule says."""
    assert failure(verdict) == ""
    assert not (verdict.unable and verdict.findings)
    assert bool(document(verdict)["RuleTriggered"]) == bool(verdict.findings)
    for finding in verdict.findings:
        _evident(finding)


def _evident(finding: Finding) -> None:
    assert finding.message.endswith(".")
    assert finding.evidence
    assert finding.change
    assert finding.code
    assert finding.from_s is not None
    assert finding.to_s is not None
    assert finding.to_s >= finding.from_s
    assert (finding.gain_s is None) == (not finding.estimate)
    assert all(math.isfinite(value) for value in finding.evidence.values() if isinstance(value, float | int))
    assert finding.gain_s is None or (math.isfinite(finding.gain_s) and finding.gain_s >= 0)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_profile_is_judged_or_said_to_be_too_little(name: str, odd: str) -> None:
    sound(judged(build(name), ODD[odd]()))


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("odd", ODD)
def test_a_rule_without_patience_stays_sound(name: str, odd: str) -> None:
    few = {"patience": "0", "min_steps": "6", "min_samples": "10", "min_calls": "0", "min_wait_s": "0"}
    fields = {key: value for key, value in few.items() if key in RULES[name].__dataclass_fields__}  # type: ignore[attr-defined]
    sound(judged(build(name, fields), ODD[odd]()))


@pytest.mark.parametrize("health", HEALTHY)
def test_a_healthy_training_has_no_findings(health: str) -> None:
    verdicts = ProfilerReport(rules=tuple(map(build, RULES))).verdicts(HEALTHY[health]().profile)
    assert [finding.message for verdict in verdicts for finding in verdict.findings] == []
    assert [failure(verdict) for verdict in verdicts if failure(verdict)] == []


@pytest.mark.parametrize("name", GPU_RULES)
def test_a_machine_without_a_gpu_says_so(name: str) -> None:
    verdict = build(name).judge(recorded.healthy().profile)
    assert verdict.unable == "there is no GPU on this machine"
    assert verdict.findings == ()


def test_a_gpu_that_could_not_be_sampled_is_not_taken_for_none() -> None:
    assert "was not sampled" in build("LowGPUUtilization").judge(profile(gpus=1)).unable


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documented_rules_take_the_scan_interval(name: str) -> None:
    assert build(name, {"scan_interval_us": "1000000"}).scan_interval_us == 1_000_000  # type: ignore[attr-defined]
