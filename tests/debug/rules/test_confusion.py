from pathlib import Path

import numpy as np
import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.confusion import Confusion
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun, info
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, network, trained

BOTH = [info(f"CrossEntropyLoss_input_{place}", "loss_input", ["labels"]) for place in (0, 1)]


def classified(wrong: int, mode: ModeKeys = ModeKeys.EVAL, run: RecordedRun | None = None) -> RecordedRun:
    """100 samples of two classes, of whose second so many are taken for the first."""
    run = run or RecordedRun()
    labels = np.repeat([0, 1], 50)
    predicted = labels.copy()
    predicted[50 : 50 + wrong] = 0
    run.save({BOTH[0]: np.eye(2)[predicted], BOTH[1]: labels}, mode)
    return run


def judged(run: RecordedRun, **parameters: str) -> list[str]:
    trial: Trial = run.end().trial()
    return [each.message for each in at_each_step(build("Confusion", parameters), trial)]


@pytest.mark.parametrize(("wrong", "times"), [(0, 0), (5, 0), (6, 1)])
def test_the_diagonal_and_what_lies_beside_it(wrong: int, times: int) -> None:
    messages = judged(classified(wrong))
    assert len(messages) == times
    assert not messages or "Class 1 is right in 88.0% of its samples" in messages[0]
    assert not messages or "class 1 is taken for 0 in 12.0%" in messages[0]


def test_the_limits_are_parameters() -> None:
    assert judged(classified(20), min_diag="0.6", max_off_diag="0.4", category_no="2") == []
    assert judged(classified(20), min_diag="0.6", max_off_diag="0.3")


def test_training_is_not_judged_by_what_its_loss_was_given() -> None:
    assert judged(classified(30, ModeKeys.TRAIN)) == []
    assert "hook.set_mode(modes.EVAL)" in Confusion().unable(classified(30, ModeKeys.GLOBAL).trial())
    assert Confusion().unable(classified(30, ModeKeys.TRAIN).trial()) == ""  # nothing was evaluated
    assert judged(classified(30, ModeKeys.TRAIN, classified(30)))


def test_a_shorter_last_batch_of_each_evaluation_does_not_keep_it_from_being_judged() -> None:
    run = RecordedRun()
    for _ in range(3):
        for size in (32, 32, 8):
            labels = np.arange(size) % 2
            run.save({BOTH[0]: np.eye(2)[labels * 0], BOTH[1]: labels}, ModeKeys.EVAL)
    assert len(judged(run)) == 2


def test_labels_of_tokens_are_not_judged() -> None:
    run = RecordedRun()
    saved = {BOTH[0]: np.eye(2)[[0] * 100], BOTH[1]: np.repeat([0, 1], 50)}
    run.save(saved, ModeKeys.EVAL, facts=Facts(samples=tuple(range(10))))
    assert judged(run) == []


def test_classes_that_were_saved_by_name() -> None:
    run = RecordedRun()
    run.save({info("labels", "custom"): np.repeat([0, 1], 50), info("predictions", "custom"): np.zeros(100, np.int64)})
    (message,) = judged(run)
    assert "Class 1 is right in 0.0%" in message


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0})
    assert "labels and predictions were not saved together" in Confusion().unable(run.trial())
    assert Confusion().unable(classified(0).trial()) == ""


def test_real_trainings(tmp_path: Path) -> None:
    data, unseen = clusters(60), clusters(20, seed=3)
    found = at_each_step(Confusion(), trained(tmp_path / "none", network(), data[:1], unseen))
    assert found and found[0].mode == "EVAL"
    learned = trained(tmp_path / "learned", network(), data, unseen)
    assert at_each_step(Confusion(), learned) == []
