from pathlib import Path

import pytest

from sagehound.debug.rules.registry import build
from sagehound.debug.rules.stalled_training_rule import StalledTrainingRule
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, network, trained


def saved(*times: float) -> RecordedRun:
    run = RecordedRun()
    for at in times:
        run.save({LOSS: 1.0}, at=at)
    return run


@pytest.mark.parametrize(("idle_s", "times"), [(1799.0, 0), (1800.0, 1)])
def test_silence_while_the_training_runs(idle_s: float, times: int) -> None:
    found = list(StalledTrainingRule().while_idle(saved(1.0, 2.0).trial(), idle_s))
    assert len(found) == times
    assert not found or "Nothing was saved for 1800 s after step 1 of mode TRAIN" in found[0].message


def test_silence_before_the_first_step_and_after_the_end() -> None:
    (found,) = StalledTrainingRule().while_idle(saved().trial(), 2000.0)
    assert "since the beginning" in found.message
    assert list(StalledTrainingRule().while_idle(saved(1.0).end().trial(), 2000.0)) == []


@pytest.mark.parametrize(("gap_s", "times"), [(59.0, 0), (60.0, 1)])
def test_silence_between_two_saved_steps(gap_s: float, times: int) -> None:
    parameters = {"threshold": "60", "stop_training_on_fire": "True", "training_job_name_prefix": "dogs"}
    rule = build("StalledTrainingRule", parameters)
    assert len(at_each_step(rule, saved(100.0, 100.0 + gap_s).end().trial())) == times


def test_what_is_missing_is_named() -> None:
    assert "no step was saved" in StalledTrainingRule().unable(saved().end().trial())
    assert StalledTrainingRule().unable(saved(1.0).end().trial()) == ""


def test_a_real_training_that_ends(tmp_path: Path) -> None:
    trial = trained(tmp_path / "run", network(), clusters(3))
    assert at_each_step(StalledTrainingRule(), trial) == list(StalledTrainingRule().while_idle(trial, 1e6)) == []
