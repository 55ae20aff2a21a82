"""Scales: what is searched by its logarithm is drawn by it, and every value has its place."""

import pytest

from sagehound.tuning.report.parallel import parallel
from sagehound.tuning.report.plot import Lines
from sagehound.tuning.report.scale import axis, values
from sagehound.tuning.scaling import Scaling
from sagehound.tuning.space import Categorical, Continuous, Integer
from tests.tuning.report.studies import study


def test_a_logarithmic_range_puts_its_middle_in_the_middle() -> None:
    along = axis(Continuous("lr", 0.001, 0.1, Scaling.LOGARITHMIC))
    assert along.scale.fraction(along.place("0.01")) == pytest.approx(0.5)
    assert [words for _, words in along.scale.labels()] == ["0.001", "0.01", "0.1"]


def test_a_reverse_logarithmic_range_spreads_towards_one() -> None:
    along = axis(Continuous("momentum", 0.5, 0.999, Scaling.REVERSE_LOGARITHMIC))
    assert [words for _, words in along.scale.labels()] == ["0.5", "0.9", "0.99", "0.999"]
    assert along.scale.fraction(along.place("0.99")) < 0.7


def test_categories_have_equal_places_in_their_order() -> None:
    along = axis(Categorical("batch_size", ('"32"', '"64"', '"128"')))
    assert [along.scale.fraction(along.place(each)) for each in ('"32"', '"64"', '"128"')] == pytest.approx(
        [1 / 6, 0.5, 5 / 6]
    )
    assert [words for _, words in along.scale.labels()] == ["32", "64", "128"]


def test_a_value_that_is_not_of_the_range_has_no_place() -> None:
    assert axis(Integer("epochs", 1, 5)).place("9") is None
    assert axis(Integer("epochs", 1, 5)).place("adam") is None


def test_objectives_of_very_different_size_are_drawn_by_their_logarithm() -> None:
    assert values("loss", (0.1, 900.0)).log
    assert not values("loss", (0.1, 0.9)).log
    assert not values("loss", (-1.0, 900.0)).log
    same = values("loss", (0.5,))
    assert same.low < 0.5 < same.high


@pytest.mark.parametrize("maximize", (False, True))
def test_the_best_line_ends_highest_whatever_the_goal(maximize: bool) -> None:
    given = study(20, early=False, maximize=maximize)
    plot = parallel(given)
    assert plot is not None
    ends = {number: path[1][-1] for mark in plot.marks if isinstance(mark, Lines) and mark.trials
            for number, path in zip(mark.trials, mark.paths, strict=True)}  # fmt: skip
    assert max(ends, key=lambda number: ends[number]) == given.ranked()[0].number
