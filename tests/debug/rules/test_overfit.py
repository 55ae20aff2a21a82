from pathlib import Path

import pytest
import torch
from torch import nn

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.overfit import Overfit
from sagehound.debug.rules.registry import build
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, trained


def epochs(*pairs: tuple[float, float], length: int = 6) -> Trial:
    """Epochs with those losses in training and validation; ends with a step of training."""
    run = RecordedRun()
    for training, validation in pairs:
        for _ in range(length):
            run.save({LOSS: training}, ModeKeys.TRAIN)
        for _ in range(3):
            run.save({LOSS: validation}, ModeKeys.EVAL)
    run.save({LOSS: pairs[-1][0]}, ModeKeys.TRAIN)
    return run.end().trial()


def test_a_validation_loss_above_the_training_loss_is_found() -> None:
    found = at_each_step(Overfit(), epochs((1.0, 1.05), (0.5, 0.8)))
    assert found[0].mode == "EVAL" and found[0].numbers["ratio"] == pytest.approx(0.6)
    assert "0.8 in validation and 0.5 in training: 60.0% more, above 10.0%" in found[0].message


def test_an_evaluation_is_judged_once_when_it_is_over() -> None:
    run = RecordedRun()
    for mode, value, steps in ((ModeKeys.TRAIN, 1.0, 50), (ModeKeys.EVAL, 2.0, 300), (ModeKeys.TRAIN, 1.0, 50)):
        for _ in range(steps):
            run.save({LOSS: value}, mode)
    (found,) = at_each_step(Overfit(), run.trial())
    assert (found.mode, found.step) == ("EVAL", 299)


@pytest.mark.parametrize(("validation", "times"), [(1.09, 0), (1.11, 1)])
def test_the_ratio_must_be_passed(validation: float, times: int) -> None:
    assert len(at_each_step(Overfit(), epochs((1.0, validation)))) == times


def test_patience_counts_evaluations_in_a_row() -> None:
    rule = build("Overfit", {"patience": "2", "ratio_threshold": "0.1"})
    assert at_each_step(rule, epochs((1.0, 1.5), (1.0, 1.0), (1.0, 1.5))) == []
    assert at_each_step(rule, epochs((1.0, 1.5), (1.0, 1.5)))


def test_before_start_step_nothing_is_compared() -> None:
    trial = epochs((1.0, 2.0))
    assert at_each_step(build("Overfit", {"start_step": str(trial.steps()[-1] + 1)}), trial) == []


def test_a_gap_within_the_noise_of_the_batches_is_none() -> None:
    run = RecordedRun()
    for value in (0.2, 1.8, 0.4, 1.6):
        run.save({LOSS: value}, ModeKeys.TRAIN)
    for value in (0.3, 2.1, 0.5, 1.9):
        run.save({LOSS: value}, ModeKeys.EVAL)
    run.save({LOSS: 1.0}, ModeKeys.TRAIN)
    assert at_each_step(Overfit(), run.end().trial()) == []


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    assert "no losses were saved" in Overfit().unable(run.trial())
    run.save({LOSS: 1.0}, ModeKeys.GLOBAL)
    assert "call hook.set_mode(modes.TRAIN)" in Overfit().unable(run.trial())
    run.save({LOSS: 1.0}, ModeKeys.TRAIN)
    assert Overfit().unable(run.trial()) == ""  # nothing was evaluated
    run.save({}, ModeKeys.EVAL)
    assert "no losses were saved in mode EVAL" in Overfit().unable(run.trial())
    run.save({LOSS: 1.0}, ModeKeys.EVAL)
    assert Overfit().unable(run.trial()) == ""


def test_a_real_training_that_learns_random_labels_by_heart(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 3))
    batches = [(x, torch.randint(0, 3, y.shape)) for x, y in clusters(2, seed=1)]
    unseen = [(x, torch.randint(0, 3, y.shape)) for x, y in clusters(6, seed=2)]
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    trial = trained(tmp_path / "heart", model, batches, unseen, optimizer=adam, epochs=30)
    assert at_each_step(Overfit(), trial)


def test_a_real_training_of_one_epoch_is_let_pass(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Linear(8, 3)
    assert at_each_step(Overfit(), trained(tmp_path / "once", model, clusters(20), clusters(10, seed=5))) == []
