"""Strategies by name."""

import pytest

from sagehound.errors import Unsupported
from sagehound.testing.strategy_suite import CATEGORIES
from sagehound.tuning.catalogue import STRATEGIES, create


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_name_makes_a_strategy(name: str):
    assert create(name, CATEGORIES, seed=1, maximize=True).ask(1) is not None


def test_another_name_is_refused_with_the_ones_there_are():
    with pytest.raises(Unsupported, match="Hyperband is not offered; choose Bayesian, Random, Grid"):
        create("Hyperband", CATEGORIES, seed=1, maximize=True)
