"""The strategies by SageMaker's names."""

from __future__ import annotations

from sagehound.errors import Unsupported
from sagehound.tuning.bayesian import Bayesian
from sagehound.tuning.grid import Grid
from sagehound.tuning.random_search import RandomSearch
from sagehound.tuning.space import Space
from sagehound.tuning.strategy import Strategy

STRATEGIES = ("Bayesian", "Random", "Grid")


def create(name: str, space: Space, *, seed: int, maximize: bool) -> Strategy:
    """The strategy called `name`; Unsupported for another name, InvalidInput where it cannot search the space."""
    if name == "Bayesian":
        return Bayesian(space, seed, maximize=maximize)
    if name == "Random":
        return RandomSearch(space, seed)
    if name == "Grid":
        return Grid(space)
    raise Unsupported(f"strategy {name} is not offered; choose {', '.join(STRATEGIES)}")
