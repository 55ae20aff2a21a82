from pathlib import Path

import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.overtraining import Overtraining
from sagehound.debug.rules.registry import build
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, network, trained


def epochs(training: list[float], validation: list[float]) -> Trial:
    run = RecordedRun()
    for before, after in zip(training, validation, strict=True):
        for _ in range(4):
            run.save({LOSS: before}, ModeKeys.TRAIN)
        for _ in range(2):
            run.save({LOSS: after}, ModeKeys.EVAL)
    return run.end().trial()


@pytest.mark.parametrize(("waited", "times"), [(9, 0), (10, 1)])
def test_ten_evaluations_without_a_new_best(waited: int, times: int) -> None:
    falling = [1.0 / (step + 1) for step in range(waited + 2)]
    assert len(at_each_step(Overtraining(), epochs([10 * f for f in falling], [1.0, 0.5] + [0.6] * waited))) == times


@pytest.mark.parametrize(("waited", "times"), [(4, 0), (5, 1)])
def test_five_of_both_losses(waited: int, times: int) -> None:
    losses = [1.0, 0.5] + [0.499] * waited
    found = at_each_step(Overtraining(), epochs(losses, losses))
    assert len(found) == times
    assert not found or (found[0].numbers["evaluations"], found[0].numbers["best"]) == (5, 0.499)


def test_improvement_counts_by_delta() -> None:
    losses = [1.0 - 0.02 * step for step in range(20)]
    assert at_each_step(Overtraining(), epochs(losses, losses)) == []
    assert at_each_step(build("Overtraining", {"delta": "0.5", "patience_train": "3"}), epochs(losses, losses))


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0}, ModeKeys.GLOBAL)
    assert "hook.set_mode" in Overtraining().unable(run.trial())
    assert Overtraining().unable(epochs([1.0], [1.0])) == ""


def test_a_real_training_that_goes_on_after_its_best_and_one_that_ends_early(tmp_path: Path) -> None:
    data, unseen = clusters(8), clusters(4, seed=5)
    assert at_each_step(Overtraining(), trained(tmp_path / "long", network(), data, unseen, epochs=25))
    assert at_each_step(Overtraining(), trained(tmp_path / "short", network(), data, unseen, epochs=4)) == []
