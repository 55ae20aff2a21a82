"""Where a job's time went: the parts add up, and nothing is counted twice."""

import pytest

from sagehound.profile.report.course import course
from sagehound.testing.recorded_profile import RecordedProfile, loader_bound


def test_the_parts_add_up_to_the_job() -> None:
    went = course(loader_bound().profile)
    assert sum(part.seconds for part in went.parts) == pytest.approx(went.length_s, rel=1e-2)
    assert max(went.parts, key=lambda part: part.seconds).key == "loader"


def test_what_came_before_and_after_the_loop_is_told_apart() -> None:
    parts = {part.key: part.seconds for part in course(RecordedProfile(init_s=9.0, final_s=4.0).profile).parts}
    assert parts["initialisation"] == pytest.approx(9.0)
    assert parts["finalisation"] == pytest.approx(4.0)
    assert parts["evaluation"] == pytest.approx(60 * 0.08, rel=0.05)


def test_a_job_without_steps_has_one_part() -> None:
    went = course(RecordedProfile(steps=0).profile)
    assert [part.key for part in went.parts] == ["unseen"]
    assert went.loop is None


def test_of_several_processes_the_slowest_is_told() -> None:
    went = course(RecordedProfile(steps=20, nodes=("algo-1", "algo-2")).profile)
    assert went.workers == 2
    assert went.train is not None
    assert went.train.total_s == max(each.total_s for each in went.processes if each.mode == "TRAIN")
