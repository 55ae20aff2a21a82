"""Search spaces, and impossible ones."""

import math

import pytest

from sagehound.api.parameter_ranges import combinations, parameter_ranges
from sagehound.errors import InvalidInput


def number(name="x", low="1", high="2", scaling="Auto"):
    return {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scaling}


def read(continuous=(), integer=(), categorical=(), static=()):
    document = {
        "ContinuousParameterRanges": list(continuous),
        "IntegerParameterRanges": list(integer),
        "CategoricalParameterRanges": [{"Name": name, "Values": list(values)} for name, values in categorical],
    }
    return parameter_ranges(document, static)


def test_bounds_are_kept_as_they_were_sent():
    (item,) = read(continuous=[number(low="1e-3", high=".5", scaling="Logarithmic")])
    assert (item.low, item.high, item.scaling) == ("1e-3", ".5", "Logarithmic")


def test_combinations():
    assert combinations(read(integer=[number(low="-1", high="2")], categorical=[("c", "ab")])) == 8
    assert combinations(read(continuous=[number()])) == math.inf
    assert combinations(read(continuous=[number(high="1")])) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "ParameterRanges is empty"),
        ({"continuous": [number(low="2", high="1")]}, "range x has minimum 2.0 above maximum 1.0"),
        ({"continuous": [number(low="a")]}, "x: 'a' is not a finite number"),
        ({"continuous": [number(high="inf")]}, "'inf' is not a finite number"),
        ({"continuous": [number(low="nan")]}, "'nan' is not a finite number"),
        ({"integer": [number(low="0.5")]}, "x: '0.5' is not a whole number"),
        ({"integer": [number(low="0", scaling="Logarithmic")]}, "needs a minimum above 0"),
        ({"continuous": [number(low="-1", scaling="Logarithmic")]}, "needs a minimum above 0"),
        (
            {"continuous": [number(low="0.5", high="1", scaling="ReverseLogarithmic")]},
            "within 0 <= x < 1",
        ),
        (
            {"integer": [number(low="0", high="0", scaling="ReverseLogarithmic")]},
            "integer range x cannot",
        ),
        ({"continuous": [number()], "integer": [number()]}, "'x' has more than one range"),
        ({"continuous": [number()], "static": ["x"]}, "'x' is in StaticHyperParameters and has a range"),
        ({"categorical": [("c", ["1", "1"])]}, "has a value twice"),
        ({"categorical": [("c", [str(n) for n in range(31)])]}, "31 values; give 1 to 30"),
        ({"continuous": [number(high="1_0")]}, "'1_0' is not a finite number"),
        ({"continuous": [number(f"x{n}") for n in range(31)]}, "31 hyperparameters to search are too many"),
    ],
)
def test_an_impossible_space_is_refused(given, words):
    with pytest.raises(InvalidInput, match=words):
        read(**given)


def test_reverse_logarithmic_from_zero():
    assert read(continuous=[number(low="0", high="0.99", scaling="ReverseLogarithmic")])
