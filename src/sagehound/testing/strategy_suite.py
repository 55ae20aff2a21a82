"""What every search strategy must do: subclass `StrategySuite` in a test module and say how one is made."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from sagehound.errors import InvalidInput
from sagehound.testing.simulator import simulate
from sagehound.tuning.scaling import Scaling
from sagehound.tuning.space import Categorical, Continuous, Integer, Space, Values
from sagehound.tuning.strategy import Strategy
from sagehound.tuning.trial import Trial

MIXED = Space(
    (
        Continuous("lr", 0.001, 0.1),
        Continuous("momentum", 0.5, 0.999, Scaling.REVERSE_LOGARITHMIC),
        Integer("layers", 1, 6),
        Categorical("batch_size", ('"32"', '"64"', '"128"')),
    )
)
CATEGORIES = Space((Categorical("batch_size", ('"32"', '"64"', '"128"')), Categorical("epochs", ('"1"', '"2"'))))

#: How many epochs a trial of the suite trains.
EPOCHS = 9

_OTHER_PROCESS = """
import importlib, json, sys
module, name, trials = sys.argv[1:]
suite = getattr(importlib.import_module(module), name)()
print(json.dumps(suite.told(int(trials))))
"""


def difficulty(values: Values) -> float | None:
    """A made-up objective: best at a middling learning rate and batch size 64; a high momentum fails."""
    if float(values.get("momentum", 0)) > 0.99:
        return None
    lr, batch = float(values.get("lr", 0.01)), int(values["batch_size"].strip('"'))
    return abs(lr - 0.02) * 10 + abs(batch - 64) / 64 + int(values.get("layers", 1)) / 100


def training(values: Values) -> tuple[float, ...] | None:
    """The curve of such a trial: it falls to its difficulty, the more layers the slower."""
    end = difficulty(values)
    if end is None:
        return None
    return tuple(end + 2 / epoch ** (1 / int(values.get("layers", 1))) for epoch in range(1, EPOCHS + 1))


class StrategySuite:
    """Override `make`; override `space` where the strategy does not search every kind of range. The class must be
    importable by its name, and its strategies made from the seed alone."""

    space: Space = MIXED
    trials: int = 24
    #: Whether another seed gives other trials.
    seeded: bool = True

    def make(self, seed: int) -> Strategy:
        """A new strategy that searches `space`."""
        raise NotImplementedError

    def ran(
        self, trials: int, *, seed: int = 7, parallel: int = 3, killed_at: frozenset[int] = frozenset()
    ) -> list[Trial]:
        """The trials of a simulated search, each an epoch or more long, some failed, some stopped."""
        return simulate(
            lambda: self.make(seed),
            training,
            trials=trials,
            parallel=parallel,
            duration_s=lambda number: 1.0 + number * 7 % 5,
            killed_at=killed_at,
        )

    def told(self, trials: int) -> list[object]:
        """The same as JSON has it."""
        return [[each.number, each.values, each.objective, list(each.curve), each.stopped] for each in self.ran(trials)]

    def test_every_value_is_inside_the_space(self) -> None:
        for trial in self.ran(self.trials):
            assert self.space.check(trial.values) is trial.values

    def test_the_seed_decides_the_trials(self) -> None:
        assert self.ran(self.trials) == self.ran(self.trials)
        assert (self.ran(self.trials) != self.ran(self.trials, seed=8)) == self.seeded

    def test_a_strategy_told_the_past_goes_on_as_the_old_one(self) -> None:
        unbroken = self.ran(self.trials)
        assert self.ran(self.trials, killed_at=frozenset(range(1, self.trials + 1))) == unbroken
        assert self.ran(self.trials, killed_at=frozenset({2, 13})) == unbroken

    def test_the_order_of_telling_does_not_matter(self) -> None:
        past = self.ran(16)
        first, second = self.make(7), self.make(7)
        for trial in past:
            first.tell(trial)
        for trial in reversed(past):
            second.tell(trial)
        assert first.ask(17) == second.ask(17)

    def test_telling_again_replaces(self) -> None:
        past = self.ran(16)
        corrected, plain = self.make(7), self.make(7)
        for trial in past:
            corrected.tell(Trial(number=trial.number, values=trial.values, running=True))
        for trial in past:
            corrected.tell(trial)
            plain.tell(trial)
        assert corrected.ask(17) == plain.ask(17)

    def test_another_process_with_another_hash_seed_gives_the_same_trials(self) -> None:
        printed = [self._in_another_process(hash_seed) for hash_seed in ("1", "2")]
        assert printed == [self.told(self.trials)] * 2

    def test_a_finite_space_is_tried_without_repeats(self) -> None:
        if self.space.size is not None:
            tried = {json.dumps(trial.values, sort_keys=True) for trial in self.ran(self.space.size)}
            assert len(tried) == self.space.size

    def test_a_search_whose_every_trial_fails_goes_on(self) -> None:
        ran = simulate(lambda: self.make(7), lambda values: None, trials=self.trials, parallel=2)
        assert len(ran) == min(self.trials, len(self.ran(self.trials)))

    def test_values_of_another_space_are_refused(self) -> None:
        try:
            self.make(7).tell(Trial(number=1, values={"nonsense": "1"}, objective=1.0))
        except InvalidInput as error:
            assert "nonsense" in str(error)
        else:
            raise AssertionError("values that are not of the space were taken")

    def test_a_trial_that_is_unknown_or_has_ended_is_not_judged(self) -> None:
        strategy = self.make(7)
        assert strategy.verdict(1) is None
        for trial in self.ran(self.trials):
            strategy.tell(trial)
            assert strategy.verdict(trial.number) is None

    def test_verdicts_depend_on_what_was_told_and_not_on_its_order(self) -> None:
        past = self.ran(16)
        first, second = self.make(7), self.make(7)
        running = [Trial(number=100 + n, values=past[0].values, running=True, curve=(9.0,) * n) for n in range(12)]
        for trial in (*past, *running):
            first.tell(trial)
        for trial in (*reversed(running), *reversed(past)):
            second.tell(trial)
        for trial in running:
            assert first.verdict(trial.number) == second.verdict(trial.number)

    def test_a_reason_is_a_sentence_for_the_user(self) -> None:
        strategy = self.make(7)
        for trial in self.ran(16):
            strategy.tell(trial)
        strategy.tell(Trial(number=100, values=self._values(), running=True, curve=(99.0,) * EPOCHS))
        verdict = strategy.verdict(100)
        assert verdict is None or (verdict.reason[0].isupper() and verdict.reason[-1] != ".")

    def test_trials_of_earlier_searches_are_compared_with_no_curve(self) -> None:
        strategy = self.make(7)
        for trial in self._earlier():
            strategy.tell(trial)
        strategy.tell(Trial(number=1, values=self._values(), running=True, curve=(99.0,)))
        assert strategy.verdict(1) is None

    def test_trials_of_earlier_searches_may_be_told_in_any_order(self) -> None:
        first, second = self.make(7), self.make(7)
        for trial in self._earlier():
            first.tell(trial)
        for trial in reversed(self._earlier()):
            second.tell(trial)
        asked = [first.ask(number) for number in range(1, 5)]
        assert asked == [second.ask(number) for number in range(1, 5)]
        assert all(self.space.check(values) for values in asked if values is not None)

    def test_a_trial_that_fails_in_its_midst_is_no_obstacle(self) -> None:
        strategy = self.make(7)
        values = self._values()
        for number in range(1, 13):
            strategy.tell(Trial(number=number, values=values, running=True, curve=(1.0,) * number))
            strategy.tell(Trial(number=number, values=values, curve=(1.0,) * number))
        assert strategy.ask(13) is None or self.space.size != 1
        assert strategy.verdict(12) is None

    def _values(self) -> Values:
        return self.space.at([0.5] * len(self.space.ranges))

    def _earlier(self) -> list[Trial]:
        """Good trials of an earlier search, numbered from 0 downwards."""
        return [
            Trial(number=1 - trial.number, values=trial.values, objective=0.0, curve=(0.0,) * EPOCHS)
            for trial in self.ran(16)
        ]

    def _in_another_process(self, hash_seed: str) -> list[object]:
        command = [sys.executable, "-c", _OTHER_PROCESS, type(self).__module__, type(self).__name__, str(self.trials)]
        environment = {
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert ran.returncode == 0, ran.stderr
        told: list[object] = json.loads(ran.stdout)
        return told
