"""Grid search."""

import pytest

from sagehound.errors import InvalidInput
from sagehound.testing.strategy_suite import CATEGORIES, MIXED, StrategySuite
from sagehound.tuning.grid import Grid
from sagehound.tuning.strategy import Strategy


class TestGrid(StrategySuite):
    space = CATEGORIES
    seeded = False

    def make(self, seed: int) -> Strategy:
        return Grid(self.space)


def test_all_combinations_once_in_the_order_of_the_request():
    grid = Grid(CATEGORIES)
    assert [grid.ask(n) for n in range(1, 7)] == list(CATEGORIES.combinations())
    assert grid.ask(7) is None


def test_other_ranges_are_refused_by_name():
    with pytest.raises(InvalidInput, match=r"lr, momentum, layers has bounds.*choose Bayesian or Random"):
        Grid(MIXED)
