from collections.abc import Iterable
from pathlib import Path

import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.data_leak import DataLeak
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, network, trained


def seen(training: Iterable[int], evaluation: Iterable[int]) -> Trial:
    run = RecordedRun()
    run.save({LOSS: 1.0}, ModeKeys.TRAIN, facts=Facts(samples=tuple(training)))
    run.save({LOSS: 1.0}, ModeKeys.EVAL, facts=Facts(samples=tuple(evaluation)))
    return run.end().trial()


@pytest.mark.parametrize(("shared", "times"), [(0, 0), (2, 0), (3, 1), (200, 1)])
def test_more_than_one_in_a_hundred(shared: int, times: int) -> None:
    found = at_each_step(DataLeak(), seen(range(1000), range(1000 - shared, 1200 - shared)))
    assert len(found) == times
    assert not found or f"{shared} of the 200 samples of this evaluation" in found[0].message


def test_one_sample_is_a_coincidence() -> None:
    assert at_each_step(DataLeak(), seen(range(10), range(9, 19))) == []


def test_data_that_repeats_itself_is_shared_by_nature() -> None:
    assert at_each_step(DataLeak(), seen([0, 1, 2, 3] * 4, [0, 1, 2, 3] * 4)) == []


def test_samples_that_are_trained_with_only_later_are_found_at_the_next_evaluation() -> None:
    run = RecordedRun()
    for mode in (ModeKeys.EVAL, ModeKeys.TRAIN, ModeKeys.EVAL):
        run.save({LOSS: 1.0}, mode, facts=Facts(samples=(1, 2, 3)))
    (found,) = at_each_step(DataLeak(), run.end().trial())
    assert (found.mode, found.step) == ("EVAL", 1)


def test_the_threshold_is_a_parameter() -> None:
    assert at_each_step(build("DataLeak", {"threshold_percent": "50"}), seen(range(10), range(6, 16))) == []


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0}, ModeKeys.TRAIN, facts=Facts(samples=(1,)))
    assert DataLeak().unable(run.trial()) == ""  # without an evaluation nothing leaks
    run.save({LOSS: 1.0}, ModeKeys.EVAL)
    assert "hook.set_mode(modes.EVAL)" in DataLeak().unable(run.trial())
    assert DataLeak().unable(seen([1], [2])) == ""


def test_real_trainings(tmp_path: Path) -> None:
    data, unseen = clusters(5), clusters(3, seed=1)
    assert at_each_step(DataLeak(), trained(tmp_path / "apart", network(), data, unseen, epochs=2)) == []
    assert at_each_step(DataLeak(), trained(tmp_path / "shared", network(), data, [*unseen, data[0]]))
