from pathlib import Path

import pytest
from torch import nn

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.registry import build
from sagehound.debug.rules.train_eval_mode import TrainEvalMode
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, network, trained


def steps(*facts: Facts, mode: ModeKeys = ModeKeys.TRAIN) -> Trial:
    run = RecordedRun()
    for each in facts:
        run.save({LOSS: 1.0}, mode, facts=each)
    return run.end().trial()


def flags(training: bool, dropouts: int = 0, norms: int = 0, backward: bool = False) -> Facts:
    """Of two dropout and two batch-norm modules, so many in train mode."""
    return Facts(
        training=training,
        grad_enabled=backward,
        backward=backward,
        dropouts=2,
        dropouts_training=dropouts,
        norms=2,
        norms_training=norms,
    )


@pytest.mark.parametrize("mode", [ModeKeys.EVAL, ModeKeys.PREDICT, ModeKeys.GLOBAL, ModeKeys.TRAIN])
def test_a_model_left_in_train_mode_while_it_is_evaluated(mode: ModeKeys) -> None:
    (found,) = at_each_step(TrainEvalMode(), steps(flags(True, 2, 1), mode=mode))
    assert (
        found.message
        == "2 of 2 dropout modules and 1 of 2 batch-norm modules are in train mode while the model is evaluated."
    )
    assert "model.eval()" in found.change


def test_a_batch_norm_alone_counts_and_dropout_alone_is_meant_so() -> None:
    assert at_each_step(TrainEvalMode(), steps(flags(False, 0, 1), mode=ModeKeys.EVAL))
    assert at_each_step(TrainEvalMode(), steps(flags(False, 2, 0), mode=ModeKeys.EVAL)) == []


def test_a_model_left_in_eval_mode_while_it_is_trained() -> None:
    trial = steps(flags(True, 2, 2, backward=True), *[flags(False, backward=True)] * 3)
    found = at_each_step(TrainEvalMode(), trial)
    assert [each.step for each in found] == [2, 3]
    assert "none of its 2 dropout and 2 batch-norm modules" in found[0].message
    assert "after an evaluation it stayed in eval mode" in found[0].message


@pytest.mark.parametrize("facts", [
    flags(True, 2, 2, backward=True),
    flags(True, 2, 0, backward=True),
    flags(False, 1, 0, backward=True),
    flags(False),
    Facts(training=False, grad_enabled=True, backward=True),
    Facts(),
])  # fmt: skip
def test_what_is_healthy(facts: Facts) -> None:
    assert at_each_step(TrainEvalMode(), steps(facts, facts)) == []


def test_it_takes_no_parameters_and_says_what_is_missing() -> None:
    rule = build("TrainEvalMode", {"rule_to_invoke": "TrainEvalMode"})
    assert "register it" in rule.unable(steps(Facts()))
    assert rule.unable(steps(Facts(training=True))) == ""  # no dropout or batch-norm: nothing to confuse
    assert rule.unable(steps(flags(True))) == ""


def nothing(_: nn.Module) -> None:
    """The call that was forgotten."""


def test_real_trainings(tmp_path: Path) -> None:
    data, unseen, rule = clusters(3), clusters(2, seed=2), TrainEvalMode()
    parts = (nn.Dropout(), nn.BatchNorm1d(16))
    fine = trained(tmp_path / "fine", network(*parts), data, unseen, epochs=2)
    assert at_each_step(rule, fine) == []
    no_eval = trained(tmp_path / "no-eval", network(*parts), data, unseen, to_eval=nothing)
    assert {each.mode for each in at_each_step(rule, no_eval)} == {"EVAL"}
    no_train = trained(tmp_path / "no-train", network(*parts), data, unseen, epochs=2, to_train=nothing)
    assert {(each.mode, each.step) for each in at_each_step(rule, no_train)} == {("TRAIN", 4), ("TRAIN", 5)}
