"""The search space of a tuning job: ParameterRanges of the request."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from sagehound.errors import InvalidInput
from sagehound.records.tuning import ParameterRange

#: SageMaker's quota of hyperparameters that one tuning job searches.
MOST_PARAMETERS = 30


def parameter_ranges(document: dict[str, Any], static: Iterable[str]) -> tuple[ParameterRange, ...]:
    """The ranges of a request's `ParameterRanges`; InvalidInput, naming the parameter, for an impossible one.

    `static` are the names of the hyperparameters that every trial has alike: none of them may be searched too.
    """
    ranges = (
        *(_numeric(item, "Continuous", float) for item in document.get("ContinuousParameterRanges", [])),
        *(_numeric(item, "Integer", int) for item in document.get("IntegerParameterRanges", [])),
        *(_categorical(item) for item in document.get("CategoricalParameterRanges", [])),
    )
    _check_names([item.name for item in ranges], set(static))
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


def _categorical(item: dict[str, Any]) -> ParameterRange:
    name, values = item["Name"], tuple(item["Values"])
    if len(set(values)) < len(values):
        raise InvalidInput(f"the categorical hyperparameter {name!r} has a value twice: {', '.join(values)}")
    return ParameterRange(name=name, type="Categorical", values=values)


def _numeric(item: dict[str, Any], kind: str, number: type[int] | type[float]) -> ParameterRange:
    name, scaling = item["Name"], item.get("ScalingType", "Auto")
    low = _bound(name, kind, "MinValue", item["MinValue"], number)
    high = _bound(name, kind, "MaxValue", item["MaxValue"], number)
    if low > high:
        raise InvalidInput(f"the range of {name!r} is empty: MinValue {low} is greater than MaxValue {high}")
    _check_scaling(name, kind, scaling, low, high)
    return ParameterRange(name=name, type=kind, low=item["MinValue"], high=item["MaxValue"], scaling=scaling)


def _bound(name: str, kind: str, field: str, text: str, number: type[int] | type[float]) -> float:
    try:
        value = number(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidInput(f"{field} {text!r} of the {kind.lower()} hyperparameter {name!r} is not such a number")
    return value


def _check_scaling(name: str, kind: str, scaling: str, low: float, high: float) -> None:
    if scaling == "Logarithmic" and low <= 0:
        raise InvalidInput(
            f"Logarithmic scaling of {name!r} needs a range of values greater than 0; MinValue is {low}: use Linear"
        )
    if scaling == "ReverseLogarithmic" and (kind == "Integer" or low < 0 or high >= 1):
        raise InvalidInput(
            f"ReverseLogarithmic scaling of {name!r} needs a continuous range within 0 <= x < 1.0; "
            f"given: {kind.lower()}, {low} to {high}"
        )
