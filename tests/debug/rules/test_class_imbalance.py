from pathlib import Path

import numpy as np
import pytest
import torch

from sagehound.debug.rules.class_imbalance import ClassImbalance
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun, info
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, network, trained

LABELS = info("CrossEntropyLoss_input_1", "loss_input")
PREDICTIONS = info("CrossEntropyLoss_input_0", "loss_input")


def given(labels: np.ndarray, predicted: np.ndarray | None = None, classes: int = 2, batch: int = 50) -> Trial:
    """A training whose batches have those labels, in an order of chance, and scores for the predicted classes."""
    order = np.random.default_rng(0).permutation(len(labels))
    run = RecordedRun()
    for start in range(0, len(labels), batch):
        part = order[start : start + batch]
        scores = np.eye(classes, dtype=np.float32)[(labels if predicted is None else predicted)[part]]
        run.save({PREDICTIONS: scores, LABELS: labels[part]}, facts=Facts(classes=classes))
    return run.end().trial()


def counts(*of_class: int) -> np.ndarray:
    return np.repeat(np.arange(len(of_class)), of_class)


@pytest.mark.parametrize(("small", "times"), [(46, 0), (45, 1)])
def test_the_largest_class_against_the_smallest(small: int, times: int) -> None:
    found = at_each_step(ClassImbalance(), given(counts(500 - small, small)))
    assert len(found) == times
    assert not found or "Class 0 has 455 of the last 500 samples, class 1 has 45: 10.1 times" in found[0].message


def test_too_few_samples_tell_nothing() -> None:
    assert at_each_step(ClassImbalance(), given(counts(440, 10))) == []
    assert at_each_step(ClassImbalance(), given(counts(480, 20), classes=100)) == []


def test_every_sample_is_judged_once() -> None:
    assert [each.step for each in at_each_step(ClassImbalance(), given(counts(1900, 100)))] == [9, 19, 29, 39]


@pytest.mark.parametrize(("wrong", "times"), [(70, 0), (71, 1)])
def test_a_class_that_is_neglected(wrong: int, times: int) -> None:
    labels = counts(400, 100)
    predicted = labels.copy()
    predicted[400 : 400 + wrong] = 0
    found = at_each_step(ClassImbalance(), given(labels, predicted))
    assert [each.tensor for each in found] == [PREDICTIONS.name] * times
    assert not found or "71% of class 1 (100 of 500 samples) are predicted wrong" in found[0].message


def test_a_model_that_has_learned_nothing_is_no_matter_of_balance() -> None:
    labels = counts(400, 100)
    assert at_each_step(ClassImbalance(), given(labels, 1 - labels)) == []
    assert at_each_step(ClassImbalance(), given(counts(250, 250), np.zeros(500, int))) == []


def test_labels_and_predictions_by_name_and_parameters() -> None:
    run = RecordedRun()
    run.save({info("my_labels", "custom"): counts(80, 20), info("my_predictions", "custom"): counts(80, 20)})
    rule = build("ClassImbalance", {"samples": "100", "threshold_imbalance": "3", "argmax": "True"})
    (found,) = at_each_step(rule, run.end().trial())
    assert (found.tensor, found.numbers["ratio"]) == ("my_labels", 4.0)


def test_labels_of_pixels_tokens_or_numbers_are_not_judged() -> None:
    run = RecordedRun()
    run.save({LABELS: counts(990, 10).reshape(10, 10, 10)})
    run.save({LABELS: counts(990, 10)}, facts=Facts(samples=tuple(range(100))))
    run.save({LABELS: np.linspace(0, 1, 600)})
    assert at_each_step(ClassImbalance(), run.end().trial()) == []


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0})
    assert "no labels were saved" in ClassImbalance().unable(run.trial())
    assert ClassImbalance().unable(given(counts(50))) == ""


def test_real_trainings(tmp_path: Path) -> None:
    data = clusters(32)
    assert at_each_step(ClassImbalance(), trained(tmp_path / "even", network(), data)) == []
    rare = [(x, torch.where((y == 2) & (torch.arange(len(y)) > 2), 0, y)) for x, y in data]
    rare = [(x, torch.where((y == 2) & (torch.arange(len(y)) > 0), 1, y)) for x, y in rare]
    found = at_each_step(ClassImbalance(), trained(tmp_path / "rare", network(), rare))
    assert "class 2 has" in found[0].message
