"""The rules over GPUs, with samples of GPUs that this machine need not have."""

from dataclasses import replace

import pytest

from sagehound.profile.finding import Verdict
from sagehound.profile.findings.registry import build
from sagehound.profile.profile import Profile
from sagehound.testing import recorded_profile as recorded
from tests.profile.findings.profiles import START, profile, samples, steps

GPU, CPU, MEMORY, IO = "GPUUtilization", "CPUUtilization", "GPUMemoryUtilization", "I/OWaitPercentage"


def on_gpu(**courses: list[float]) -> Profile:
    named = {"gpu": (GPU, "gpu0"), "cpu": (CPU, "cpu0"), "memory": (MEMORY, "gpu0"), "io": (IO, "machine")}
    return profile(samples({named[name]: values for name, values in courses.items()}), gpus=1)


def test_low_utilisation() -> None:
    verdict = build("LowGPUUtilization", {"patience": "99"}).judge(on_gpu(gpu=[35.0] * 100))
    assert verdict.details == {"algo-1": {"gpu0": {"gpu_95": 35.0, "gpu_5": 35.0}}}
    assert verdict.findings[0].gain_s == pytest.approx(99 * 0.5 * 0.5)


def test_utilisation_that_swings() -> None:
    verdict = build("LowGPUUtilization", {"patience": "99"}).judge(on_gpu(gpu=[95.0] * 90 + [2.0] * 10))
    assert "swung between 2 % and 95 %" in verdict.findings[0].message


@pytest.mark.parametrize("course", [[70.0] * 100, [90.0] * 90 + [10.0] * 10])
def test_just_enough_utilisation(course: list[float]) -> None:
    assert build("LowGPUUtilization", {"patience": "99"}).judge(on_gpu(gpu=course)).findings == ()


def test_only_the_window_counts() -> None:
    course = [0.0] * 100 + [90.0] * 50
    assert build("LowGPUUtilization", {"patience": "99", "window": "50"}).judge(on_gpu(gpu=course)).findings == ()


def test_patience() -> None:
    verdict = build("LowGPUUtilization").judge(on_gpu(gpu=[5.0] * 1000))
    assert verdict.findings == ()
    assert verdict.unable == "1000 data points are too few: more than 1000 are waited for (patience)"
    assert build("LowGPUUtilization").judge(on_gpu(gpu=[5.0] * 1001)).findings


def test_room_for_a_larger_batch() -> None:
    little = {"gpu": [30.0] * 101, "cpu": [20.0] * 101, "memory": [15.0] * 101}
    verdict = build("BatchSize").judge(on_gpu(**little))
    assert verdict.details["algo-1"]["gpu0"] == {"cpu_p95": 20.0, "gpu_p95": 30.0, "gpu_memory_p95": 15.0}
    assert verdict.findings[0].code == "DataLoader(dataset, batch_size=4 * batch_size)"
    for busy in little:
        assert build("BatchSize").judge(on_gpu(**{**little, busy: [70.0] * 101})).findings == ()


def _waits(rule: str, other: str, low: int) -> Verdict:
    course = {"gpu": [5.0] * low + [95.0] * (200 - low), other: [95.0] * 200}
    return build(rule, {"patience": "199"}).judge(on_gpu(**course))


@pytest.mark.parametrize(("rule", "other"), [("CPUBottleneck", "cpu"), ("IOBottleneck", "io")])
def test_a_gpu_that_waits(rule: str, other: str) -> None:
    verdict = _waits(rule, other, 101)
    assert (verdict.violations, verdict.datapoints) == (101, 200)
    assert verdict.details["low_gpu_utilization"] == 101
    assert len(verdict.details) == 102
    assert verdict.findings[0].gain_s == pytest.approx(99.5 * 0.505)
    assert _waits(rule, other, 100).findings == ()


def test_a_gpu_that_rests_while_the_cores_rest_does_not_wait_for_them() -> None:
    assert build("CPUBottleneck").judge(on_gpu(gpu=[5.0] * 200, cpu=[90.0] * 200)).findings == ()


def test_memory_that_rises() -> None:
    assert build("GPUMemoryIncrease").judge(on_gpu(memory=[20.0] * 60 + [30.5] * 60)).findings
    assert build("GPUMemoryIncrease").judge(on_gpu(memory=[20.0] * 60 + [30.0] * 60)).findings == ()


def test_a_model_that_is_loaded_is_no_rise() -> None:
    assert build("GPUMemoryIncrease").judge(on_gpu(memory=[0.0] * 80 + [60.0] * 80)).findings == ()


def test_one_gpu_does_the_work() -> None:
    found = build("LoadBalancing").judge(recorded.unbalanced_gpus().profile)
    assert found.details["algo-1"]["distances"]["gpu0"]["gpu1"] > 0.5
    assert "DistributedDataParallel" in found.findings[0].code
    even = replace(recorded.unbalanced_gpus(), gpu=(95.0, 95.0)).profile
    assert build("LoadBalancing").judge(even).findings == ()
    assert "one GPU" in build("LoadBalancing").judge(recorded.healthy_gpu().profile).unable


@pytest.mark.parametrize(("seconds", "found"), [(1200.0, 0), (1201.0, 1)])
def test_a_long_way_to_the_first_step(seconds: float, found: int) -> None:
    late = profile(timeline=steps([0.1] * 3, start_s=START + seconds), started_s=START, ended_s=START + 2000)
    verdict = build("MaxInitializationTime").judge(late)
    assert len(verdict.findings) == found
    assert verdict.details["step_num"]["first"] == (START + seconds) * 1e6
