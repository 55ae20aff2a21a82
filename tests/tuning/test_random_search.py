"""Random search."""

from sagehound.testing.strategy_suite import CATEGORIES, StrategySuite
from sagehound.tuning.random_search import RandomSearch
from sagehound.tuning.space import Continuous, Integer, Space
from sagehound.tuning.strategy import Strategy


class TestRandom(StrategySuite):
    def make(self, seed: int) -> Strategy:
        return RandomSearch(self.space, seed)


class TestRandomOverCategories(StrategySuite):
    space = CATEGORIES

    def make(self, seed: int) -> Strategy:
        return RandomSearch(self.space, seed)


def test_a_trial_depends_on_its_number_alone():
    whole, late = (RandomSearch(Space((Continuous("lr", 0.001, 0.1),)), 5) for _ in range(2))
    assert [whole.ask(n) for n in range(1, 31)][-1] == late.ask(30)


def test_the_sequence_begins_again_when_every_combination_is_tried():
    search = RandomSearch(Space((Integer("n", 1, 3),)), 0)
    values = [search.ask(n)["n"] for n in range(1, 7)]
    assert sorted(values[:3]) == ["1", "2", "3"]
    assert values[3:] == values[:3]


def test_a_value_that_is_hardly_ever_drawn_is_found():
    search = RandomSearch(Space((Integer("n", 1, 2000),)), 0)
    assert len({search.ask(n)["n"] for n in range(1, 2001)}) == 2000


def test_draws_follow_the_scale():
    search = RandomSearch(Space((Continuous("lr", 0.0001, 1.0),)), 0)
    small = sum(float(search.ask(n)["lr"]) < 0.01 for n in range(1, 1001))
    assert 450 < small < 550
