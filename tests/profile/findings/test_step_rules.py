"""The rules over steps and their phases."""

import pyarrow as pa
import pytest

from sagehound.profile.findings.registry import build
from sagehound.testing import recorded_profile as recorded
from tests.profile.findings.profiles import START, profile, samples, steps, timeline

CPU = "CPUUtilization"


@pytest.mark.parametrize(("n", "found"), [(11, 1), (10, 0)])
def test_outliers_are_counted(n: int, found: int) -> None:
    durations = [0.1] * (2000 - n) + [5.0] * n
    verdict = build("StepOutlier").judge(profile(timeline=steps(durations, loader=[d / 2 for d in durations])))
    assert len(verdict.findings) == found
    assert verdict.details["algo-1"]["number_of_outliers"] == n
    if found:
        assert verdict.findings[0].gain_s == pytest.approx(11 * 4.9)
        assert "prefetch_factor" in verdict.findings[0].code


def test_the_mode_is_chosen() -> None:
    parts = [("TRAIN", 0.1)] * 2000 + [("EVAL", 0.1)] * 1000 + [("EVAL", 5.0)] * 11
    assert build("StepOutlier", {"mode": "TRAIN"}).judge(profile(timeline=timeline(parts))).findings == ()
    assert build("StepOutlier", {"mode": "ModeKeys.EVAL"}).judge(profile(timeline=timeline(parts))).findings
    assert build("StepOutlier").judge(profile(timeline=timeline(parts))).findings


@pytest.mark.parametrize(("wait_s", "found"), [(0.06, 1), (0.049, 0)])
def test_steps_that_wait_for_batches(wait_s: float, found: int) -> None:
    table = steps([0.2 + wait_s] * 40, loader=[wait_s] * 40, forward=[0.2] * 40)
    verdict = build("LoaderBound").judge(profile(timeline=table, facts={"loader_workers": 0}))
    assert len(verdict.findings) == found
    if found:
        assert verdict.findings[0].code.startswith("DataLoader(dataset, num_workers=1,")
        assert verdict.findings[0].gain_s == pytest.approx(39 * wait_s)


def test_batches_of_no_loader_are_waited_for_too() -> None:
    table = steps([0.3] * 40, loader=[0.1] * 40, forward=[0.2] * 40)
    assert "with no DataLoader" in build("LoaderBound").judge(profile(timeline=table)).findings[0].message
    assert "no DataLoader was seen" in build("Dataloader").judge(profile(timeline=table, cores=2)).unable


def test_one_worker_where_two_help() -> None:
    table = steps([0.4] * 40, loader=[0.3] * 40, forward=[0.1] * 40)
    sampled = samples({(CPU, "cpu0"): [50.0] * 40, (CPU, "cpu1"): [50.0] * 40})
    verdict = build("LoaderBound").judge(profile(sampled, table, facts={"loader_workers": 1}))
    assert verdict.findings[0].evidence["suggested_workers"] == 2
    assert verdict.findings[0].gain_s == pytest.approx(39 * 0.2)


def test_busy_cores_cannot_take_more_workers() -> None:
    table = steps([0.4] * 40, loader=[0.3] * 40, forward=[0.1] * 40)
    sampled = samples({(CPU, "cpu0"): [100.0] * 40, (CPU, "cpu1"): [99.0] * 40})
    finding = build("LoaderBound").judge(profile(sampled, table, facts={"loader_workers": 2})).findings[0]
    assert "busy already" in finding.message
    assert finding.gain_s == pytest.approx(39 * 0.3)
    assert finding.estimate.startswith("at most")


def test_a_short_wait_is_not_worth_workers() -> None:
    assert build("LoaderBound").judge(profile(timeline=steps([0.02] * 40, loader=[0.015] * 40))).findings == ()


def test_too_few_workers_matter_where_steps_wait() -> None:
    waiting = build("Dataloader").judge(recorded.loader_bound().profile)
    assert waiting.violations == 1
    assert "fewer than 70 % of them" in waiting.findings[0].message
    idle = build("Dataloader").judge(recorded.healthy().profile)
    assert (idle.violations, idle.findings) == (1, ())


@pytest.mark.parametrize(("workers", "found"), [(5, 1), (4, 0)])
def test_too_many_workers(workers: int, found: int) -> None:
    many = profile(timeline=steps([0.1] * 30, loader=[0.0] * 30), facts={"loader_workers": workers})
    assert len(build("Dataloader").judge(many).findings) == found


@pytest.mark.parametrize(("threads", "processes", "found"), [(4, 1, 1), (2, 1, 0), (2, 2, 1), (1, 2, 0)])
def test_more_threads_than_cores(threads: int, processes: int, found: int) -> None:
    parts = [("TRAIN", 0.1)] * 30
    table = pa.concat_tables(timeline(parts, pid=pid, forward=[0.09] * 30) for pid in range(processes))
    verdict = build("ThreadsOversubscribed").judge(profile(timeline=table, facts={"torch_threads": threads}))
    assert len(verdict.findings) == found
    if found:
        assert verdict.findings[0].code.startswith(f"torch.set_num_threads({2 // processes})")
        assert verdict.findings[0].gain_s == pytest.approx(30 * 0.09 / 3)


def test_processes_that_follow_each_other_do_not_share_cores() -> None:
    parts = [("TRAIN", 0.1)] * 30
    one, other = (timeline(parts, START + 10 * pid, pid, forward=[0.09] * 30) for pid in range(2))
    after = profile(timeline=pa.concat_tables([one, other]), facts={"torch_threads": 2})
    assert build("ThreadsOversubscribed").judge(after).findings == ()


def test_one_thread_on_eight_cores() -> None:
    finding = build("IdleCores").judge(recorded.idle_cores().profile).findings[0]
    assert finding.code == "torch.set_num_threads(8)"
    assert finding.evidence["busy_cores"] == pytest.approx(1.2, abs=0.15)


def test_idle_cores_are_left_alone_where_threads_are_as_many_or_the_loader_is_slow() -> None:
    half = samples({(CPU, "cpu0"): [100.0] * 40, (CPU, "cpu1"): [5.0] * 40})
    table = steps([0.2] * 100, forward=[0.2] * 100)
    assert build("IdleCores").judge(profile(half, table, facts={"torch_threads": 1})).findings
    assert build("IdleCores").judge(profile(half, table, facts={"torch_threads": 2})).findings == ()
    waiting = steps([0.2] * 100, loader=[0.05] * 100)
    assert build("IdleCores").judge(profile(half, waiting, facts={"torch_threads": 1})).findings == ()
    busy = samples({(CPU, "cpu0"): [100.0] * 40, (CPU, "cpu1"): [30.0] * 40})
    assert build("IdleCores").judge(profile(busy, table, facts={"torch_threads": 1})).findings == ()


def test_evaluations_that_take_long() -> None:
    parts = ([("TRAIN", 0.1)] * 20 + [("EVAL", 0.1)] * 10) * 4
    finding = build("EvaluationShare").judge(profile(timeline=timeline(parts))).findings[0]
    assert finding.evidence["rounds"] == 4
    assert finding.gain_s == pytest.approx(2.0)
    rare = ([("TRAIN", 0.1)] * 60 + [("EVAL", 0.1)] * 15) * 4
    assert build("EvaluationShare").judge(profile(timeline=timeline(rare))).findings == ()


def test_one_evaluation_at_the_end_is_what_a_job_is_for() -> None:
    parts = [("TRAIN", 0.1)] * 20 + [("EVAL", 0.1)] * 40
    assert build("EvaluationShare").judge(profile(timeline=timeline(parts))).findings == ()


def test_a_first_step_that_compiles() -> None:
    table = steps([8.0, 3.0] + [0.1] * 100)
    finding = build("FirstStep").judge(profile(timeline=table, facts={"compiled": "True"})).findings[0]
    assert finding.gain_s == pytest.approx(10.8)
    assert "INDUCTOR" in finding.code
    assert build("FirstStep").judge(profile(timeline=steps([8.0] + [0.1] * 800))).findings == ()
