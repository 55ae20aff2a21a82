"""The median rule."""

from sagehound.testing.strategy_suite import CATEGORIES, MIXED, StrategySuite
from sagehound.tuning.bayesian import Bayesian
from sagehound.tuning.grid import Grid
from sagehound.tuning.median_rule import ENOUGH, MedianRule
from sagehound.tuning.random_search import RandomSearch
from sagehound.tuning.strategy import Strategy
from sagehound.tuning.trial import Trial


class TestMedianRuleOverBayesian(StrategySuite):
    def make(self, seed: int) -> Strategy:
        return MedianRule(Bayesian(self.space, seed, maximize=False), maximize=False)

    def test_some_trials_of_the_suite_are_stopped(self) -> None:
        assert any(trial.stopped for trial in self.ran(self.trials))


class TestMedianRuleOverGrid(StrategySuite):
    space = CATEGORIES
    seeded = False

    def make(self, seed: int) -> Strategy:
        return MedianRule(Grid(self.space), maximize=True)


VALUES = MIXED.at([0.5] * 4)


def rule(completed: int, *, maximize: bool = False, **changes: object) -> MedianRule:
    """After `completed` trials, of which the k-th had the loss k, then 0."""
    strategy = MedianRule(RandomSearch(MIXED, 0), maximize=maximize)
    for number in range(1, completed + 1):
        strategy.tell(Trial(number=number, values=VALUES, objective=0.0, curve=(float(number), 0.0), **changes))
    return strategy


def running(*curve: float) -> Trial:
    return Trial(number=50, values=VALUES, running=True, curve=curve)


def test_a_trial_worse_than_the_median_of_averages_is_stopped_and_told_why():
    strategy = rule(ENOUGH)
    strategy.tell(running(9.0, 1.6))
    verdict = strategy.verdict(50)
    assert verdict is not None and not verdict.finished
    assert verdict.reason == (
        "Its objective after epoch 2, 1.6, is worse than 1, the median of what the 3 earlier trials that came as far "
        "had on average up to there"
    )
    strategy.tell(running(9.0, 1.0))
    assert strategy.verdict(50) is None


def test_maximizing_turns_it_round():
    strategy = rule(ENOUGH, maximize=True)
    strategy.tell(running(1.9))
    assert strategy.verdict(50) is not None
    strategy.tell(running(2.1))
    assert strategy.verdict(50) is None


def test_a_few_trials_judge_nobody():
    strategy = rule(ENOUGH - 1)
    strategy.tell(running(99.0))
    assert strategy.verdict(50) is None


def test_only_trials_that_came_as_far_judge():
    strategy = rule(ENOUGH)
    strategy.tell(running(0.0, 0.0, 99.0))
    assert strategy.verdict(50) is None


def test_trials_that_were_stopped_judge_too():
    strategy = rule(ENOUGH, stopped=True)
    strategy.tell(running(9.0, 1.6))
    assert strategy.verdict(50) is not None


def test_nobody_is_judged_before_a_quarter_of_the_longest():
    strategy = MedianRule(RandomSearch(MIXED, 0), maximize=False)
    for number in range(1, ENOUGH + 1):
        strategy.tell(Trial(number=number, values=VALUES, objective=0.0, curve=(0.0,) * 27))
    judged = {}
    for epochs in range(1, 27):
        strategy.tell(running(*(9.0,) * epochs))
        judged[epochs] = strategy.verdict(50) is not None
    assert min(epochs for epochs, stops in judged.items() if stops) == 7
