"""A recorded table as a space and a function from values to the curve that they printed."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagehound.tuning.scaling import Scaling
from sagehound.tuning.space import Categorical, Continuous, Integer, Range, Space, Values

#: From this ratio of the highest to the lowest level on, a hyperparameter is searched by its logarithm.
LOGARITHMIC = 50


@dataclass(frozen=True)
class Table:
    """Values between two levels have the curve of the nearer one, as the range's scale measures it. `sign` times a
    value is what is minimized."""

    space: Space
    levels: dict[str, list[Any]]
    curves: dict[tuple[Any, ...], tuple[float, ...]]
    sign: int

    def curve(self, values: Values) -> tuple[float, ...]:
        """What a trial of these values printed, as something to minimize."""
        key = tuple(nearest(each, self.levels[each.name], values[each.name]) for each in self.space.ranges)
        return tuple(self.sign * value for value in self.curves[key])


def load(task: str, sign: int) -> Table:
    document = json.loads(Path(__file__).with_name(f"{task}.json").read_text())
    levels = document["levels"]
    curves = dict(zip(itertools.product(*levels.values()), map(tuple, document["curves"]), strict=True))
    return Table(Space(tuple(ranged(name, given) for name, given in levels.items())), levels, curves, sign)


def ranged(name: str, levels: list[Any]) -> Range:
    if isinstance(levels[0], str):
        return Categorical(name, tuple(levels))
    low, high = levels[0], levels[-1]
    scaling = Scaling.LOGARITHMIC if low > 0 and high / low > LOGARITHMIC else Scaling.LINEAR
    if isinstance(low, int):
        return Integer(name, low, high, scaling)
    return Continuous(name, low, high, scaling)


def nearest(given: Range, levels: list[Any], text: str) -> Any:
    if isinstance(given, Categorical):
        return text
    position = given.scaling.forward(given.parse(text))
    return min(levels, key=lambda level: math.fabs(given.scaling.forward(level) - position))
