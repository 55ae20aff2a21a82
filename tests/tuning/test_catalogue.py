"""Strategies by name."""

import pytest

from sagehound.errors import InvalidInput, Unsupported
from sagehound.testing.strategy_suite import CATEGORIES
from sagehound.tuning.catalogue import STRATEGIES, create
from sagehound.tuning.median_rule import MedianRule
from sagehound.tuning.resource import Resource


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_name_makes_a_strategy(name: str):
    resource = Resource(1, 9) if name == "Hyperband" else None
    assert create(name, CATEGORIES, seed=1, maximize=True, resource=resource).ask(1) is not None


def test_another_name_is_refused_with_the_ones_there_are():
    with pytest.raises(Unsupported, match="Sobol is not offered; choose Bayesian, Random, Grid, Hyperband"):
        create("Sobol", CATEGORIES, seed=1, maximize=True)


def test_early_stopping_is_the_median_rule():
    assert isinstance(create("Grid", CATEGORIES, seed=1, maximize=True, early_stopping=True), MedianRule)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(InvalidInput, match="Hyperband stops training jobs by itself"):
        create("Hyperband", CATEGORIES, seed=1, maximize=True, early_stopping=True, resource=Resource(1, 9))
    with pytest.raises(InvalidInput, match="Hyperband needs MaxResource"):
        create("Hyperband", CATEGORIES, seed=1, maximize=True)
    with pytest.raises(InvalidInput, match="is for the strategy Hyperband, not Random"):
        create("Random", CATEGORIES, seed=1, maximize=True, resource=Resource(1, 9))
