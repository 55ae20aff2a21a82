"""The time left: from what was seen, and none where nothing was."""

import doctest

import pytest

from sagehound.cli import time_left
from sagehound.cli.time_left import time_left_s
from sagehound.tuning.report.study import Study, StudyTrial


def trial(number, created_s, ended_s=None, status="Completed"):
    return StudyTrial(
        number=number, name=f"t-{number}", values={}, created_s=created_s, started_s=created_s, ended_s=ended_s,
        status=status if ended_s is not None else "InProgress",
    )  # fmt: skip


def study(*trials, most=10, parallel=1):
    return Study(
        name="s", status="InProgress", metric="loss", maximize=False, ranges=(), trials=trials, created_s=0.0,
        read_s=0.0, max_trials=most, max_parallel=parallel,
    )  # fmt: skip


def test_the_examples_hold():
    assert doctest.testmod(time_left).failed == 0


def test_nothing_is_said_before_a_trial_has_ended_or_where_the_number_is_open():
    assert time_left_s(study(trial(1, 0.0)), 5.0) is None
    assert time_left_s(study(trial(1, 0.0, 4.0), most=None), 5.0) is None


def test_what_is_left_at_the_usual_pace():
    assert time_left_s(study(trial(1, 0.0, 4.0), trial(2, 4.0, 8.0), most=4), 8.0) == pytest.approx(8.0)
    assert time_left_s(study(trial(1, 0.0, 4.0), trial(2, 4.0), most=4), 7.0) == pytest.approx(9.0)
    assert time_left_s(study(trial(1, 0.0, 4.0), trial(2, 0.0, 4.0), most=4, parallel=2), 4.0) == pytest.approx(4.0)


def test_the_first_trial_that_filled_a_cache_does_not_count_once_others_have_ended():
    assert time_left_s(study(trial(1, 0.0, 100.0), trial(2, 100.0, 102.0), most=4), 102.0) == pytest.approx(4.0)


def test_a_failed_trial_says_nothing_of_the_others():
    assert time_left_s(study(trial(1, 0.0, 1.0, "Failed")), 1.0) is None
