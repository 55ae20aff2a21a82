"""Lines that a metric's expression was probably meant for."""

import pytest

from sagehound.jobs.near_misses import near_misses

LOSS = r"Test set: Average loss: ([0-9\.]+)"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("test set: average loss: 0.5", "other capital letters"),
        ("Test set:  Average loss = 0.5", "other spaces, signs"),
        ("Test set: Average loss: nan", "no finite number"),
        ("Test set: Average loss: -1,5", "written with a comma"),
        ("Average loss: 0.5", "without 'Test', 'set'"),
    ],
)
def test_what_is_otherwise_is_told(line, why):
    (found,) = near_misses(LOSS, ["epoch 1", line, "saved the model in 3 s"])
    assert found.line == line
    assert why in found.why


def test_the_nearest_come_first_and_lines_that_differ_in_numbers_once():
    lines = ["Average loss: 0.3", "average loss on the test set: 0.5", "average loss on the test set: 0.25", "x 1"]
    assert [found.line for found in near_misses(LOSS, lines)] == [lines[1], lines[0]]


@pytest.mark.parametrize("regex", [r"(?P<loss>[A-Za-z]+)=\d+", r"val\_acc\s*[:=]\s*([-+]?[\d.]{1,9}(?:e[-+]\d+)?)"])
def test_groups_classes_and_escapes_are_no_words(regex):
    assert near_misses(regex, ["set of letters and numbers"]) == []
    words = [found.line for found in near_misses(regex, ["val acc is 0.5"])]
    assert words == ["val acc is 0.5"]


def test_an_expression_that_takes_for_ever_is_not_run():
    assert near_misses(r"(a+)+$ loss", ["a" * 500 + " loss 1 !"])


def test_a_log_without_anything_like_it():
    assert near_misses(LOSS, ["begun", "done"]) == []
