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

_OTHER_PROCESS = """
import importlib, json, sys
module, name, trials = sys.argv[1:]
suite = getattr(importlib.import_module(module), name)()
print(json.dumps(suite.values(int(trials))))
"""


def difficulty(values: Values) -> float | None:
    """A made-up objective: best at a middling learning rate and batch size 64; a high momentum fails."""
    if float(values.get("momentum", 0)) > 0.99:
        return None
    lr, batch = float(values.get("lr", 0.01)), int(values["batch_size"].strip('"'))
    return abs(lr - 0.02) * 10 + abs(batch - 64) / 64 + int(values.get("layers", 1)) / 100


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

    def values(
        self, trials: int, *, seed: int = 7, parallel: int = 3, killed_at: frozenset[int] = frozenset()
    ) -> list[Values]:
        """The values of a simulated search's trials."""
        ran = simulate(
            lambda: self.make(seed),
            difficulty,
            trials=trials,
            parallel=parallel,
            duration_s=lambda number: 1.0 + number * 7 % 5,
            killed_at=killed_at,
        )
        return [trial.values for trial in ran]

    def test_every_value_is_inside_the_space(self) -> None:
        for values in self.values(self.trials):
            assert self.space.check(values) is values

    def test_the_seed_decides_the_trials(self) -> None:
        assert self.values(self.trials) == self.values(self.trials)
        assert (self.values(self.trials) != self.values(self.trials, seed=8)) == self.seeded

    def test_a_strategy_told_the_past_goes_on_as_the_old_one(self) -> None:
        unbroken = self.values(self.trials)
        assert self.values(self.trials, killed_at=frozenset(range(1, self.trials + 1))) == unbroken
        assert self.values(self.trials, killed_at=frozenset({2, 13})) == unbroken

    def test_the_order_of_telling_does_not_matter(self) -> None:
        past = self._past(16)
        first, second = self.make(7), self.make(7)
        for trial in past:
            first.tell(trial)
        for trial in reversed(past):
            second.tell(trial)
        assert first.ask(17) == second.ask(17)

    def test_telling_again_replaces(self) -> None:
        past = self._past(16)
        corrected, plain = self.make(7), self.make(7)
        for trial in past:
            corrected.tell(Trial(number=trial.number, values=trial.values, running=True))
        for trial in past:
            corrected.tell(trial)
            plain.tell(trial)
        assert corrected.ask(17) == plain.ask(17)

    def test_another_process_with_another_hash_seed_gives_the_same_trials(self) -> None:
        printed = [self._in_another_process(hash_seed) for hash_seed in ("1", "2")]
        assert printed == [self.values(self.trials)] * 2

    def test_a_finite_space_is_tried_without_repeats(self) -> None:
        if self.space.size is not None:
            values = self.values(self.space.size)
            assert len({json.dumps(each, sort_keys=True) for each in values}) == self.space.size

    def test_a_search_whose_every_trial_fails_goes_on(self) -> None:
        ran = simulate(lambda: self.make(7), lambda values: None, trials=self.trials, parallel=2)
        assert len(ran) == min(self.trials, len(self.values(self.trials)))

    def test_values_of_another_space_are_refused(self) -> None:
        try:
            self.make(7).tell(Trial(number=1, values={"nonsense": "1"}, objective=1.0))
        except InvalidInput as error:
            assert "nonsense" in str(error)
        else:
            raise AssertionError("values that are not of the space were taken")

    def _past(self, count: int) -> list[Trial]:
        values = self.values(count)
        return [Trial(number=n, values=each, objective=difficulty(each)) for n, each in enumerate(values, 1)]

    def _in_another_process(self, hash_seed: str) -> list[Values]:
        command = [sys.executable, "-c", _OTHER_PROCESS, type(self).__module__, type(self).__name__, str(self.trials)]
        environment = {
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert ran.returncode == 0, ran.stderr
        values: list[Values] = json.loads(ran.stdout)
        return values
