"""Bayesian search: Optuna's multivariate Tree-structured Parzen Estimator after an even spread of first trials.

Why TPE and not Optuna's Gaussian process, which finds better values (`benchmarks/search.py --gp`: after 40 trials of
the classifier's stand-in 0.150 against 0.173, chance 0.25): it imports torch, so the service would hold 330 MB in place
of 50, and it takes 30 to 130 ms a trial in place of 2. A process of its own could hold it.
Source of the estimator: Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011; with the joint
kernel of Falkner et al., "BOHB", ICML 2018.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import random
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sagehound.tuning.random_search import fresh, key
from sagehound.tuning.scaling import Scaling
from sagehound.tuning.space import Categorical, Continuous, Integer, Range, Space, Values
from sagehound.tuning.trial import Trial
from sagehound.tuning.verdict import Verdict

if TYPE_CHECKING:  # importing it takes 0.3 s: the service does so when the first Bayesian trial is asked for
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial, TrialState

#: How many trials must have an objective before the estimator chooses.
STARTUP = 10
#: The same where only completed trials count, which are rarer.
STARTUP_COMPLETED = 8
#: Verbosity and warning filters are the whole process's: one search at a time may set them aside.
_SETTING = threading.Lock()


class Bayesian:
    """A strategy that learns from the objectives told.

    - Until `STARTUP` trials have an objective, trial k is the k-th point of an even sequence shifted by the seed.
    - Then the estimator chooses, with a random source made from the seed and k alone.
    - A failed trial counts as a bad one, so that the search leaves values that fail; so does a running one (a "constant
      liar"), so that parallel trials spread; one that was stopped counts as worse than any that was not.
    - No combination is tried twice while there are others.

    `completed_only`: learn nothing from trials that were stopped, for rules that also stop slow starters in number.
    """

    def __init__(self, space: Space, seed: int, *, maximize: bool, completed_only: bool = False) -> None:
        self._space = space
        self._seed = seed
        self._maximize = maximize
        self._completed_only = completed_only
        self._startup = STARTUP_COMPLETED if completed_only else STARTUP
        self._trials: dict[int, Trial] = {}
        self._mirror: _Mirror | None = None
        self._news: dict[int, Trial] = {}

    def ask(self, number: int) -> Values | None:
        """Values of trial `number`; never None."""
        known = sum(
            trial.objective is not None and not (self._completed_only and trial.stopped)
            for trial in self._trials.values()
        )
        values = self._even(number) if known < self._startup else self._estimated(number)
        tried = {key(trial.values) for trial in self._trials.values() if trial.number != number}
        if key(values) in tried:
            values = fresh(self._space, random.Random(f"fresh {self._seed}/{number}"), tried) or values
        self.tell(Trial(number=number, values=values, running=True))
        return values

    def tell(self, trial: Trial) -> None:
        """Remember the trial; the estimator hears of it when it is next needed."""
        values = self._space.check(trial.values)
        trial = replace(trial, values={each.name: values[each.name] for each in self._space.ranges})
        self._trials[trial.number] = self._news[trial.number] = trial

    def verdict(self, number: int) -> Verdict | None:
        """None: every trial runs to its end."""
        return None

    def _even(self, number: int) -> Values:
        return self._space.at(_spread(f"even {self._seed}", number, len(self._space.ranges)))

    def _estimated(self, number: int) -> Values:
        mirror = self._mirror
        if mirror is None or not mirror.follow(self._news):
            mirror = _Mirror(self._space, maximize=self._maximize, completed_only=self._completed_only)
            mirror.follow(self._trials)
        self._mirror, self._news = mirror, {}
        digest = hashlib.sha256(f"{self._seed}/{number}".encode()).digest()
        return mirror.suggest(int.from_bytes(digest[:4], "big"))


class _Mirror:
    """An Optuna study that holds the trials in the order of their numbers."""

    def __init__(self, space: Space, *, maximize: bool, completed_only: bool) -> None:
        import optuna

        self._space = space
        self._completed_only = completed_only
        self._distributions = {each.name: _distribution(each) for each in space.ranges}
        self._placed: dict[int, tuple[int, Trial]] = {}
        self._storage = optuna.storages.InMemoryStorage()
        with _quiet():
            self._study = optuna.create_study(
                storage=self._storage, study_name="mirror", direction="maximize" if maximize else "minimize"
            )
        self._study_id = self._storage.get_study_id_from_name("mirror")

    def follow(self, news: dict[int, Trial]) -> bool:
        """Take in what changed. False where it cannot be: a trial before the last placed one, or an end that
        changed. The mirror must then be made anew."""
        last = max(self._placed, default=-math.inf)
        for number, trial in sorted(news.items()):
            placed = self._placed.get(number)
            if placed and placed[1].running and placed[1].values == trial.values:
                self._end(placed[0], trial)
            elif placed is None and number > last:
                self._place(trial)
            elif placed is None or placed[1] != trial:
                return False
        return True

    def suggest(self, seed: int) -> Values:
        """What the estimator would try next."""
        import optuna

        with _quiet():
            self._study.sampler = _sampler(seed, self._distributions)
            probe = self._study.ask(self._distributions)
            # The trial goes in again from its text, by `follow`, as it does when a strategy is rebuilt: the position
            # that the estimator chose and the one that the text says may differ in the last bit.
            self._study.tell(probe, state=optuna.trial.TrialState.FAIL)
        return {each.name: _text(each, probe.params[each.name]) for each in self._space.ranges}

    def _place(self, trial: Trial) -> None:
        from optuna.trial import create_trial

        self._placed[trial.number] = (len(self._study.get_trials(deepcopy=False)), trial)
        params = {each.name: _position(each, trial.values[each.name]) for each in self._space.ranges}
        self._study.add_trial(
            create_trial(
                state=self._state(trial),
                value=None if trial.stopped else trial.objective,
                params=params,
                distributions=self._distributions,
                intermediate_values=_reported(trial),
            )
        )

    def _end(self, index: int, trial: Trial) -> None:
        self._placed[trial.number] = (index, trial)
        if trial.running:
            return
        identity = self._storage.get_trial_id_from_study_id_trial_number(self._study_id, index)
        for epoch, value in _reported(trial).items():
            self._storage.set_trial_intermediate_value(identity, epoch, value)
        self._study.tell(index, None if trial.stopped else trial.objective, state=self._state(trial))

    def _state(self, trial: Trial) -> TrialState:
        """The estimator ranks `pruned` trials behind the completed ones, by how far they came, then by what they had
        there. A trial that failed is pruned before its first value: it ranks last, and is not left out as Optuna's
        failed ones are."""
        from optuna.trial import TrialState

        if trial.running:
            return TrialState.RUNNING
        if trial.stopped and self._completed_only:
            return TrialState.FAIL
        return TrialState.PRUNED if trial.objective is None or trial.stopped else TrialState.COMPLETE


def _sampler(seed: int, distributions: dict[str, BaseDistribution]) -> BaseSampler:
    """The estimator. It is told the space, which Optuna's own would otherwise find by reading every trial again."""
    from optuna.samplers import TPESampler

    class _Estimator(TPESampler):
        def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
            return {name: each for name, each in distributions.items() if not each.single()}

    return _Estimator(seed=seed, n_startup_trials=0, multivariate=True, constant_liar=True)


def _reported(trial: Trial) -> dict[int, float]:
    """How far a stopped trial came, and what it had there."""
    return {len(trial.curve): trial.objective} if trial.stopped and trial.objective is not None else {}


def _distribution(given: Range) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(given, Categorical):
        return CategoricalDistribution(given.categories)
    if isinstance(given, Integer):
        return IntDistribution(given.low, given.high, log=given.scaling is Scaling.LOGARITHMIC)
    return FloatDistribution(given.scaling.forward(given.low), given.scaling.forward(given.high))


def _position(given: Range, text: str) -> object:
    """A value where Optuna searches for it: a continuous range's on its scale."""
    if not isinstance(given, Continuous):
        return given.parse(text)
    low, high = given.scaling.forward(given.low), given.scaling.forward(given.high)
    return min(max(given.scaling.forward(given.parse(text)), low), high)


def _text(given: Range, position: object) -> str:
    if isinstance(given, Continuous):
        assert isinstance(position, float)
        return given.text(given.scaling.backward(position))
    return str(position)


def _spread(seed: str, number: int, dimensions: int) -> list[float]:
    """Point `number` of a sequence that fills the unit cube evenly, shifted at random by the seed: Roberts' additive
    recurrence on the generalised golden ratio (http://extremelearning.com.au, 2018)."""
    ratio = 2.0
    for _ in range(50):
        ratio = (1 + ratio) ** (1 / (dimensions + 1))
    source = random.Random(seed)
    return [(source.random() + number * ratio ** -(axis + 1)) % 1.0 for axis in range(dimensions)]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep back Optuna's lines about every study and its notes on experimental arguments, for our own calls only."""
    import optuna

    with _SETTING, warnings.catch_warnings():
        before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            yield
        finally:
            optuna.logging.set_verbosity(before)
