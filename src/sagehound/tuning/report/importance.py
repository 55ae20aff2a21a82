"""How much each hyperparameter mattered, as Optuna reckons it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sagehound.tuning.report.study import Study
from sagehound.tuning.scaling import Scaling
from sagehound.tuning.space import Categorical, Integer, Range

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.importance import BaseImportanceEvaluator

#: With fewer trials nothing is reckoned; with fewer than FIRM the page says that the numbers may change.
LEAST, FIRM = 5, 30
_SEED, _TREES = 0, 32


@dataclass(frozen=True, slots=True)
class Importance:
    """Shares by hyperparameter, which add up to 1, the greatest first; `method` reckoned them from `trials`."""

    shares: dict[str, float]
    method: str
    trials: int


def importance(study: Study) -> Importance | None:
    """None where it cannot be told: too few trials, one hyperparameter alone, or the same objective in all trials.

    fANOVA (Hutter, Hoos and Leyton-Brown, 2014) where scikit-learn is installed, which it needs; else PED-ANOVA
    (Watanabe, Bansal and Hutter, 2023), which finds its way with more trials only.
    """
    trials = [trial for trial in study.measured if all(given.name in trial.values for given in study.ranges)]
    ranges = [given for given in study.ranges if given.size != 1]
    if len(trials) < LEAST or len(ranges) < 2 or len({trial.objective for trial in trials}) < 2:
        return None
    import optuna

    distributions = {given.name: _distribution(given) for given in ranges}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    told = optuna.create_study(direction="maximize" if study.maximize else "minimize")
    for trial in trials:
        values = {given.name: given.parse(trial.values[given.name]) for given in ranges}
        told.add_trial(optuna.trial.create_trial(params=values, distributions=distributions, value=trial.objective))
    evaluator, method = _evaluator()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shares = optuna.importance.get_param_importances(told, evaluator=evaluator)
    return Importance({name: float(share) for name, share in shares.items()}, method, len(trials))


def _evaluator() -> tuple[BaseImportanceEvaluator, str]:
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

    if find_spec("sklearn") is not None:
        return FanovaImportanceEvaluator(n_trees=_TREES, seed=_SEED), "fANOVA"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PedAnovaImportanceEvaluator(), "PED-ANOVA"


def _distribution(given: Range) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(given, Categorical):
        return CategoricalDistribution(given.categories)
    log = given.scaling is Scaling.LOGARITHMIC
    if isinstance(given, Integer):
        return IntDistribution(given.low, given.high, log=log)
    return FloatDistribution(given.low, given.high, log=log)
