"""Hyperband."""

from sagehound.testing.strategy_suite import EPOCHS, MIXED, StrategySuite
from sagehound.tuning.catalogue import create
from sagehound.tuning.hyperband import Hyperband
from sagehound.tuning.random_search import RandomSearch
from sagehound.tuning.resource import Resource
from sagehound.tuning.strategy import Strategy
from sagehound.tuning.trial import Trial


class TestHyperband(StrategySuite):
    def make(self, seed: int) -> Strategy:
        return create("Hyperband", self.space, seed=seed, maximize=False, resource=Resource(1, EPOCHS - 1))

    def test_some_trials_of_the_suite_are_stopped_and_some_finish(self) -> None:
        ran = self.ran(self.trials)
        assert any(trial.stopped for trial in ran)
        assert any(len(trial.curve) == EPOCHS - 1 and not trial.stopped for trial in ran)


VALUES = MIXED.at([0.5] * 4)


def search() -> Hyperband:
    return Hyperband(RandomSearch(MIXED, 0), Resource(2, 18), maximize=False)


def running(number: int, epochs: int, loss: float = 1.0) -> Trial:
    return Trial(number=number, values=VALUES, running=True, curve=(loss,) * epochs)


def test_a_trial_that_has_had_everything_is_finished():
    strategy = search()
    strategy.tell(running(1, 17))
    assert strategy.verdict(1) is None
    strategy.tell(running(1, 18))
    verdict = strategy.verdict(1)
    assert verdict is not None and verdict.finished
    assert verdict.reason == "It has had all of its 18 epochs (MaxResource)"


def test_only_the_best_third_of_a_rung_goes_on():
    strategy = search()
    for number in range(1, 31):
        strategy.tell(running(number, 2, loss=float(number)))
    going = [number for number in range(1, 31) if strategy.verdict(number) is None]
    assert going[:10] == list(range(1, 11))
    assert len(going) < 25  # the rest are of brackets that begin at a later rung, or never


def test_nobody_is_stopped_before_the_least():
    strategy = search()
    for number in range(1, 31):
        strategy.tell(running(number, 1, loss=float(number)))
    assert not any(strategy.verdict(number) for number in range(1, 31))
