"""The strategies by SageMaker's names."""

from __future__ import annotations

from sagehound.errors import InvalidInput, Unsupported
from sagehound.tuning.bayesian import Bayesian
from sagehound.tuning.grid import Grid
from sagehound.tuning.hyperband import Hyperband
from sagehound.tuning.median_rule import MedianRule
from sagehound.tuning.random_search import RandomSearch
from sagehound.tuning.resource import Resource
from sagehound.tuning.space import Space
from sagehound.tuning.strategy import Strategy

STRATEGIES = ("Bayesian", "Random", "Grid", "Hyperband")


def create(
    name: str,
    space: Space,
    *,
    seed: int,
    maximize: bool,
    early_stopping: bool = False,
    resource: Resource | None = None,
) -> Strategy:
    """The strategy called `name`, with the median rule where `early_stopping` is wanted. `resource` is Hyperband's.

    Unsupported for another name; InvalidInput where it cannot search the space, or for what does not go together.
    """
    if name == "Hyperband":
        return _hyperband(space, seed, resource, maximize=maximize, early_stopping=early_stopping)
    if resource is not None:
        raise InvalidInput(f"HyperbandStrategyConfig is for the strategy Hyperband, not {name}; leave it out")
    strategy = _searched(name, space, seed, maximize=maximize)
    return MedianRule(strategy, maximize=maximize) if early_stopping else strategy


def _searched(name: str, space: Space, seed: int, *, maximize: bool) -> Strategy:
    if name == "Bayesian":
        return Bayesian(space, seed, maximize=maximize)
    if name == "Random":
        return RandomSearch(space, seed)
    if name == "Grid":
        return Grid(space)
    raise Unsupported(f"strategy {name} is not offered; choose {', '.join(STRATEGIES)}")


def _hyperband(space: Space, seed: int, resource: Resource | None, *, maximize: bool, early_stopping: bool) -> Strategy:
    if early_stopping:
        raise InvalidInput(
            "Hyperband stops training jobs by itself; set TrainingJobEarlyStoppingType to Off, or choose Bayesian"
        )
    if resource is None:
        raise InvalidInput(
            "Hyperband needs MaxResource; give it in HyperbandStrategyConfig, or as the static hyperparameter epochs"
        )
    searched = Bayesian(space, seed, maximize=maximize, completed_only=True)
    return Hyperband(searched, resource, maximize=maximize)
