"""Ranges as they are typed: what is understood, and what is refused with what to write instead."""

import pytest

from sagehound.cli.ranges import document, from_document, read_range, read_ranges
from sagehound.errors import InvalidInput
from sagehound.records.tuning import ParameterRange


def test_the_forms_of_a_range():
    assert read_range("lr=0.001:0.1:log") == ParameterRange(
        name="lr", type="Continuous", low="0.001", high="0.1", scaling="Logarithmic"
    )
    assert read_range("epochs=1:5") == ParameterRange(name="epochs", type="Integer", low="1", high="5")
    assert read_range("momentum = 0.5 : 0.99 : reverse-log").scaling == "ReverseLogarithmic"
    assert read_range("batch_size=32,64,128").values == ("32", "64", "128")
    assert read_range("x=1:2:linear").type == "Integer"
    assert read_range("x=1:2.5").type == "Continuous"


@pytest.mark.parametrize(
    ("text", "words"),
    (
        ("lr", "is no range; write NAME=LOW:HIGH"),
        ("lr=", "is no range"),
        ("=1:2", "is no range"),
        ("lr=:0.1", "needs a lowest and a highest value"),
        ("lr=0.1:", "needs a lowest and a highest value"),
        ("lr=0.1:0.01", "above maximum"),
        ("lr=0:0.1:log", "needs a minimum above 0"),
        ("lr=0.1:1:cubic", "allowed are log, linear, reverse-log, auto"),
        ("m=0.5:1.5:reverse-log", "within 0 <= x < 1"),
        ("lr=a:b", "not a finite number"),
        ("lr=0.1:nan", "not a finite number"),
        ("lr=0.1:0.1", "has one value alone; fix it instead: --set lr=0.1"),
        ("b=32,,64", "has an empty value"),
        ("b=32,32", "a value twice"),
        ("b=32", "fix it instead: --set b=32"),
    ),
)
def test_what_cannot_be_searched_is_refused(text, words):
    with pytest.raises(InvalidInput, match=words.replace("[", r"\[")):
        read_ranges([text])


def test_a_hyperparameter_has_one_range():
    with pytest.raises(InvalidInput, match="more than one range"):
        read_ranges(["lr=0.1:0.2", "lr=0.2:0.3"])


def test_a_requests_ranges_come_back_as_they_were():
    ranges = read_ranges(["lr=0.001:0.1:log", "epochs=1:5", "batch_size=32,64"])
    sent = document(ranges)
    assert sent["CategoricalParameterRanges"] == [{"Name": "batch_size", "Values": ['"32"', '"64"']}]
    found = {each.name: each for each in from_document(sent)}
    assert found["lr"] == ranges[0]
    assert found["epochs"] == ranges[1]
    assert found["batch_size"].values == ('"32"', '"64"')
