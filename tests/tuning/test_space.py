"""The space, its values as text, and the ranges that cannot be."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagehound.errors import InvalidInput
from sagehound.tuning.scaling import Scaling
from sagehound.tuning.space import Categorical, Continuous, Integer, Space

FRACTIONS = st.floats(0, 1, exclude_max=True)
FINITE = st.floats(-1e6, 1e6)


@dataclass(frozen=True)
class Text:
    """A range as a request writes it."""

    name: str = "lr"
    type: str = "Continuous"
    low: str = "0.001"
    high: str = "0.1"
    scaling: str = "Auto"
    values: tuple[str, ...] = ()


@st.composite
def continuous(draw: st.DrawFn) -> Continuous:
    scaling = draw(st.sampled_from(Scaling))
    if scaling is Scaling.LOGARITHMIC:
        bounds = st.floats(1e-9, 1e9)
    elif scaling is Scaling.REVERSE_LOGARITHMIC:
        bounds = st.floats(0, 1, exclude_max=True)
    else:
        bounds = FINITE
    low, high = sorted((draw(bounds), draw(bounds)))
    return Continuous("x", low, high, scaling)


@st.composite
def integers(draw: st.DrawFn) -> Integer:
    scaling = draw(st.sampled_from([Scaling.AUTO, Scaling.LINEAR, Scaling.LOGARITHMIC]))
    bounds = st.integers(1 if scaling is Scaling.LOGARITHMIC else -(10**6), 10**6)
    low, high = sorted((draw(bounds), draw(bounds)))
    return Integer("n", low, high, scaling)


@given(continuous(), FRACTIONS)
def test_a_float_is_inside_and_survives_its_text(drawn: Continuous, fraction: float):
    text = drawn.at(fraction)
    value = drawn.parse(text)
    assert drawn.low <= value <= drawn.high
    assert text == repr(value)
    assert drawn.text(value) == text


@given(continuous(), FRACTIONS, FRACTIONS)
def test_a_larger_fraction_is_no_smaller_value(drawn: Continuous, one: float, other: float):
    low, high = sorted((one, other))
    slack = 1e-9 * max(1.0, abs(drawn.low), abs(drawn.high))
    assert float(drawn.at(low)) <= float(drawn.at(high)) + slack


@given(integers(), FRACTIONS)
def test_an_integer_is_inside_and_written_without_a_point(drawn: Integer, fraction: float):
    text = drawn.at(fraction)
    assert drawn.low <= drawn.parse(text) <= drawn.high
    assert text == str(int(text))


@given(st.integers(-50, 50), st.integers(0, 20))
def test_every_integer_has_its_share(low: int, width: int):
    drawn = Integer("n", low, low + width, Scaling.LINEAR)
    steps = [drawn.at((step + 0.5) / (width + 1)) for step in range(width + 1)]
    assert steps == list(drawn.values())


@given(st.lists(st.text(max_size=8), min_size=1, max_size=30, unique=True), FRACTIONS)
def test_a_category_is_given_back_as_it_was_sent(categories: list[str], fraction: float):
    drawn = Categorical("c", tuple(categories))
    assert drawn.parse(drawn.at(fraction)) in categories
    assert [drawn.at((n + 0.5) / drawn.size) for n in range(drawn.size)] == categories


@given(continuous())
def test_the_ends_of_a_scale_are_the_bounds(drawn: Continuous):
    assert math.isclose(float(drawn.at(0.0)), drawn.low, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(float(drawn.at(1.0)), drawn.high, rel_tol=1e-9, abs_tol=1e-9)


def test_a_request_is_read_in_its_own_words():
    space = Space.parse(
        [
            Text(),
            Text("layers", "Integer", "1", "4", "Linear"),
            Text("batch_size", "Categorical", "", "", "Auto", ('"32"', '"64"')),
        ]
    )
    assert space.ranges == (
        Continuous("lr", 0.001, 0.1, Scaling.LOGARITHMIC),
        Integer("layers", 1, 4, Scaling.LINEAR),
        Categorical("batch_size", ('"32"', '"64"')),
    )
    assert space.at([0.5, 0.6, 0.5]) == {"lr": space.ranges[0].at(0.5), "layers": "3", "batch_size": '"64"'}
    assert space.check({"lr": "0.01", "layers": "3", "batch_size": '"64"'})


@pytest.mark.parametrize(
    ("low", "high", "scaling"),
    [(0.001, 0.1, "Logarithmic"), (0.003, 0.3, "Logarithmic"), (0.01, 0.5, "Linear"), (0.0, 1.0, "Linear")],
)
def test_auto_takes_the_logarithm_of_two_powers_of_ten(low: float, high: float, scaling: str):
    assert Continuous("lr", low, high).scaling == scaling


def test_scales_put_the_middle_where_they_say():
    assert float(Continuous("x", 0.0001, 1.0, Scaling.LOGARITHMIC).at(0.5)) == pytest.approx(0.01)
    assert float(Continuous("x", 0.0, 0.9999, Scaling.REVERSE_LOGARITHMIC).at(0.5)) == pytest.approx(0.99)
    assert float(Continuous("x", 0.0, 1.0, Scaling.LINEAR).at(0.5)) == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (Text(low="0.5"), "range lr has minimum 0.5 above maximum 0.1; swap them"),
        (Text(low="abc"), "lr: 'abc' is not a finite number"),
        (Text(high="inf"), "lr: 'inf' is not a finite number"),
        (Text(high="1e999"), "lr: '1e999' is not a finite number"),
        (Text(low=""), "lr: '' is not a finite number"),
        (Text(low="1_0"), "lr: '1_0' is not a finite number"),
        (Text(scaling="Cubic"), "scaling 'Cubic'; allowed are Auto, Linear, Logarithmic, ReverseLogarithmic"),
        (Text(low="0", scaling="Logarithmic"), "range lr: Logarithmic scaling needs a minimum above 0, not 0"),
        (Text(high="1", scaling="ReverseLogarithmic"), "needs a range within 0 <= x < 1, not 0.001 to 1"),
        (Text(low="-1e308", high="1.7e308"), "range lr is -1e+308 to 1.7e+308, too wide to measure; narrow it"),
        (Text("n", "Integer", "1", "9" * 200), "allowed are -2^53 to 2^53"),
        (Text("n", "Integer", "9" * 200, "1"), "above maximum 1; swap them"),
        (Text(low="-1", high="1", scaling="Logarithmic"), "Logarithmic scaling needs a minimum above 0, not -1"),
        (Text(type="Integer"), "lr: '0.001' is not a whole number"),
        (Text("n", "Integer", "1", "4", "ReverseLogarithmic"), "integer range n cannot be ReverseLogarithmic"),
        (Text(type="Free"), "range lr is 'Free'; allowed are Continuous, Integer, Categorical"),
        (Text(type="Categorical"), "range lr has 0 values; give 1 to 30"),
        (Text(type="Categorical", values=("a", "b", "a")), "range lr has a value twice: a, b, a"),
    ],
)
def test_an_impossible_range_is_named(text: Text, message: str):
    with pytest.raises(InvalidInput) as caught:
        Space.parse([text])
    assert message in str(caught.value)


def test_an_empty_space_and_a_name_given_twice_are_refused():
    with pytest.raises(InvalidInput, match="1 to 30 hyperparameters, not 0"):
        Space(())
    with pytest.raises(InvalidInput, match="more than one range is given for lr"):
        Space.parse([Text(), Text(type="Integer", low="1", high="2")])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lr": "0.2"}, "lr is 0.2; allowed is 0.001 to 0.1"),
        ({}, "a trial has values for nothing; it needs them for lr"),
        ({"lr": "0.01", "x": "1"}, "a trial has values for lr, x; it needs them for lr"),
    ],
)
def test_values_of_another_space_are_refused(values: dict[str, str], message: str):
    with pytest.raises(InvalidInput) as caught:
        Space.parse([Text()]).check(values)
    assert message in str(caught.value)


def test_a_space_counts_its_combinations():
    assert Space((Integer("n", 1, 4), Categorical("c", ("a", "b")))).size == 8
    assert Space((Integer("n", 1, 4), Continuous("x", 0.0, 1.0))).size is None
    assert Space((Integer("n", 1, 2), Continuous("x", 0.5, 0.5))).size == 2
    assert list(Space((Integer("n", 1, 2), Continuous("x", 0.5, 0.5))).combinations()) == [
        {"n": "1", "x": "0.5"},
        {"n": "2", "x": "0.5"},
    ]


def test_values_of_another_space_are_adopted_where_they_fit():
    space = Space((Continuous("lr", 0.001, 0.1), Categorical("c", ("a", "b"))))
    assert space.adopted({"c": "a", "momentum": "0.9", "lr": "0.01"}) == {"lr": "0.01", "c": "a"}
    assert space.adopted({"c": "a", "lr": "0.2"}) is None
    assert space.adopted({"c": "other", "lr": "0.01"}) is None
    assert space.adopted({"lr": "0.01"}) is None
