"""Bayesian search."""

import statistics
import warnings

import pytest

from sagehound.testing.simulator import simulate
from sagehound.testing.strategy_suite import CATEGORIES, StrategySuite
from sagehound.tuning.bayesian import STARTUP, Bayesian
from sagehound.tuning.random_search import RandomSearch
from sagehound.tuning.space import Categorical, Continuous, Space
from sagehound.tuning.strategy import Strategy
from sagehound.tuning.trial import Trial

LINE = Space((Continuous("x", 0.0, 1.0), Continuous("y", 0.0, 1.0)))


class TestBayesian(StrategySuite):
    def make(self, seed: int) -> Strategy:
        return Bayesian(self.space, seed, maximize=False)


class TestBayesianOverCategories(StrategySuite):
    space = CATEGORIES

    def make(self, seed: int) -> Strategy:
        return Bayesian(self.space, seed, maximize=True)


def bowl(values: dict[str, str]) -> float:
    return (float(values["x"]) - 0.3) ** 2 + (float(values["y"]) - 0.8) ** 2


def best(make, objective=bowl, trials: int = 40) -> float:
    return min(t.objective for t in simulate(make, objective, trials=trials, parallel=2) if t.objective is not None)


def test_it_beats_random_search_on_a_bowl():
    bayesian = statistics.median(best(lambda s=s: Bayesian(LINE, s, maximize=False)) for s in range(7))
    chance = statistics.median(best(lambda s=s: RandomSearch(LINE, s)) for s in range(7))
    assert bayesian < chance / 2


def test_maximizing_mirrors_minimizing():
    down = simulate(lambda: Bayesian(LINE, 1, maximize=False), bowl, trials=20)
    up = simulate(lambda: Bayesian(LINE, 1, maximize=True), lambda values: -bowl(values), trials=20)
    assert [t.values for t in down] == [t.values for t in up]


def test_it_leaves_values_that_fail():
    def fails_on_the_right(values: dict[str, str]) -> float | None:
        return None if float(values["x"]) > 0.5 else float(values["y"])

    def failures(make) -> int:
        return sum(trial.objective is None for trial in simulate(make, fails_on_the_right, trials=60)[30:])

    bayesian = sum(failures(lambda s=s: Bayesian(LINE, s, maximize=False)) for s in range(5))
    chance = sum(failures(lambda s=s: RandomSearch(LINE, s)) for s in range(5))
    assert bayesian < chance / 2


def test_it_leaves_values_whose_trials_were_stopped():
    """Though they had a better objective when they were stopped than the others at their end."""
    strategy = Bayesian(LINE, 3, maximize=False)
    for number in range(1, 31):
        x = number / 31
        right = x > 0.5
        told = Trial(
            number=number,
            values={"x": repr(x), "y": "0.5"},
            objective=-1.0 if right else x,
            curve=(-1.0,),
            stopped=right,
        )
        strategy.tell(told)
    asked = [strategy.ask(number) for number in range(31, 51)]
    assert sum(float(values["x"]) < 0.5 for values in asked if values) > 15


def test_it_may_learn_from_completed_trials_alone():
    with_stopped, without = (Bayesian(LINE, 3, maximize=False, completed_only=True) for _ in range(2))
    for number, values in ((number, {"x": repr(number / 31), "y": "0.5"}) for number in range(1, 31)):
        stopped = number > STARTUP
        told = Trial(number=number, values=values, objective=-1.0 if stopped else 1.0 / number, stopped=stopped)
        with_stopped.tell(Trial(number=number, values=values, running=True))
        with_stopped.tell(told)
        if not stopped:
            without.tell(told)
    assert with_stopped.ask(31) == without.ask(31)


def test_parallel_trials_spread():
    strategy = Bayesian(LINE, 3, maximize=False)
    for trial in simulate(lambda: Bayesian(LINE, 3, maximize=False), bowl, trials=STARTUP + 4):
        strategy.tell(trial)
    asked = [strategy.ask(100 + n) for n in range(8)]
    assert len({each["x"] for each in asked if each}) == 8


def test_repeats_begin_when_every_combination_is_tried():
    space = Space((Categorical("a", ("1", "2")),))
    strategy = Bayesian(space, 0, maximize=False)
    assert {strategy.ask(n)["a"] for n in (1, 2)} == {"1", "2"}
    assert strategy.ask(3) in ({"a": "1"}, {"a": "2"})


def test_optuna_says_nothing_and_keeps_its_own_verbosity(capfd: pytest.CaptureFixture[str]):
    import optuna

    before = optuna.logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        best(lambda: Bayesian(LINE, 0, maximize=False), trials=STARTUP + 3)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr().err == ""


def test_an_end_that_changes_is_taken_in():
    past = simulate(lambda: Bayesian(LINE, 3, maximize=False), bowl, trials=STARTUP + 2)
    strategy, plain = Bayesian(LINE, 3, maximize=False), Bayesian(LINE, 3, maximize=False)
    for trial in past:
        strategy.tell(trial)
    strategy.ask(50)
    changed = [Trial(number=t.number, values=t.values, objective=-t.objective) for t in past]
    for trial in changed:
        strategy.tell(trial)
        plain.tell(trial)
    plain.ask(50)
    plain.tell(Trial(number=50, values=strategy._trials[50].values, running=True))
    assert strategy.ask(51) == plain.ask(51)
