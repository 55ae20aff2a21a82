"""The search space of a tuning job: ParameterRanges of the request."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from sagehound.errors import InvalidInput
from sagehound.records.tuning import ParameterRange
from sagehound.tuning.space import Space

#: SageMaker's quota of hyperparameters that one tuning job searches.
MOST_PARAMETERS = 30


def parameter_ranges(document: dict[str, Any], static: Iterable[str]) -> tuple[ParameterRange, ...]:
    """The ranges of a request's `ParameterRanges`; InvalidInput, naming the parameter, for one that cannot be
    searched: what a tuning job could not begin with is refused at the door.

    `static` are the names of the hyperparameters that every trial has alike: none of them may be searched too.
    """
    ranges = (
        *(_numeric(item, "Continuous") for item in document.get("ContinuousParameterRanges", [])),
        *(_numeric(item, "Integer") for item in document.get("IntegerParameterRanges", [])),
        *(
            ParameterRange(name=item["Name"], type="Categorical", values=tuple(item["Values"]))
            for item in document.get("CategoricalParameterRanges", [])
        ),
    )
    _check_names([item.name for item in ranges], set(static))
    Space.parse(ranges)
    return ranges


def combinations(ranges: Iterable[ParameterRange]) -> float:
    """How many different trials there are; infinite with a continuous range."""
    return math.prod(_size(item) for item in ranges)


def _size(item: ParameterRange) -> float:
    if item.type == "Categorical":
        return len(item.values)
    if item.type == "Integer":
        return int(item.high) - int(item.low) + 1
    return 1 if item.low == item.high else math.inf


def _check_names(names: list[str], static: set[str]) -> None:
    if not names:
        raise InvalidInput("ParameterRanges is empty; give at least one range to search")
    if len(names) > MOST_PARAMETERS:
        raise InvalidInput(
            f"{len(names)} hyperparameters to search are too many; at most {MOST_PARAMETERS} are allowed"
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InvalidInput(f"the hyperparameter {twice[0]!r} has more than one range; every name must be unique")
    both = sorted(static.intersection(names))
    if both:
        raise InvalidInput(
            f"the hyperparameter {both[0]!r} is in StaticHyperParameters and has a range; take it out of one of them"
        )


def _numeric(item: dict[str, Any], kind: str) -> ParameterRange:
    low, high, scaling = item["MinValue"], item["MaxValue"], item.get("ScalingType", "Auto")
    return ParameterRange(name=item["Name"], type=kind, low=low, high=high, scaling=scaling)
