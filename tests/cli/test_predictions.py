"""Endpoints' answers as labels and probabilities."""

import pytest

from sagehound.cli.predictions import Prediction, prediction, predictions
from sagehound.errors import InvalidInput


def test_probabilities_stay_as_they_are():
    assert predictions([[0.2, 0.7, 0.1]]) == [Prediction("1", 0.7)]


def test_logits_become_probabilities():
    (answer,) = predictions([[0.0, 0.0, -1000.0]])
    assert answer == Prediction("0", 0.5)


def test_an_object_with_names_is_taken_at_its_word():
    assert predictions({"label": "hat", "probability": 0.9}) == [Prediction("hat", 0.9)]


def test_one_picture_has_one_answer():
    assert prediction([[0.2, 0.8]]) == Prediction("1", 0.8)
    with pytest.raises(InvalidInput, match="answered 2 rows to one picture"):
        prediction([[0.2, 0.8], [0.3, 0.7]])


@pytest.mark.parametrize("answer", ["text", [], {"a": 1}, [[]], [["x"]], None])
def test_anything_else_is_refused(answer):
    with pytest.raises(InvalidInput, match="no row of class scores"):
        predictions(answer)
