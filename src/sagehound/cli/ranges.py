"""Ranges as they are typed: `lr=0.001:0.1:log`, `epochs=1:5`, `batch_size=32,64,128`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sagehound.errors import InvalidInput
from sagehound.records.tuning import ParameterRange
from sagehound.tuning.space import Space

FORMS = "NAME=LOW:HIGH, NAME=LOW:HIGH:log (or linear, reverse-log), or NAME=A,B,C"
_SCALES = {"log": "Logarithmic", "linear": "Linear", "reverse-log": "ReverseLogarithmic", "auto": "Auto"}
_INTEGER = re.compile(r"[+-]?\d+")
_KEYS = {
    "Integer": "IntegerParameterRanges",
    "Continuous": "ContinuousParameterRanges",
    "Categorical": "CategoricalParameterRanges",
}


def read_ranges(given: Iterable[str]) -> list[ParameterRange]:
    """The ranges that `given` name; InvalidInput, with what is allowed, for one that cannot be searched."""
    ranges = [read_range(text) for text in given]
    space = Space.parse(ranges)
    for each in space.ranges:
        if each.size == 1:
            (only,) = each.values()
            raise InvalidInput(f"range {each.name} has one value alone; fix it instead: --set {each.name}={only}")
    return ranges


def read_range(text: str) -> ParameterRange:
    """One range of the form FORMS, without a look at its values."""
    name, equals, values = (part.strip() for part in text.partition("="))
    if not name or not equals or not values:
        raise InvalidInput(f"--range {text!r} is no range; write {FORMS}")
    if ":" not in values or "," in values:
        return _categories(name, values, text)
    low, high, *scale = (part.strip() for part in values.split(":"))
    if not low or not high or len(scale) > 1:
        raise InvalidInput(f"--range {text!r} needs a lowest and a highest value; write {FORMS}")
    word = scale[0] if scale else "auto"
    if word not in _SCALES:
        raise InvalidInput(f"--range {text!r} has the scale {word!r}; allowed are {', '.join(_SCALES)}")
    whole = bool(_INTEGER.fullmatch(low) and _INTEGER.fullmatch(high)) and word != "reverse-log"
    return ParameterRange(
        name=name, type="Integer" if whole else "Continuous", low=low, high=high, scaling=_SCALES[word]
    )


def _categories(name: str, values: str, text: str) -> ParameterRange:
    categories = tuple(part.strip() for part in values.split(","))
    if not all(categories):
        raise InvalidInput(f"--range {text!r} has an empty value; write {FORMS}")
    return ParameterRange(name=name, type="Categorical", values=categories)


def document(ranges: Sequence[ParameterRange]) -> dict[str, list[dict[str, object]]]:
    """The ParameterRanges of a request. Categories are quoted as the SageMaker SDK quotes them."""
    found: dict[str, list[dict[str, object]]] = {key: [] for key in _KEYS.values()}
    for each in ranges:
        if each.type == "Categorical":
            one: dict[str, object] = {"Name": each.name, "Values": [f'"{value}"' for value in each.values]}
        else:
            one = {"Name": each.name, "MinValue": each.low, "MaxValue": each.high, "ScalingType": each.scaling}
        found[_KEYS[each.type]].append(one)
    return found


def from_document(given: dict[str, list[dict[str, object]]]) -> list[ParameterRange]:
    """The ranges of a description."""
    found = []
    for type_, key in _KEYS.items():
        for one in given.get(key) or []:
            values = one.get("Values") or ()
            found.append(
                ParameterRange(
                    name=str(one["Name"]),
                    type=type_,
                    low=str(one.get("MinValue", "")),
                    high=str(one.get("MaxValue", "")),
                    scaling=str(one.get("ScalingType", "Auto")),
                    values=tuple(str(value) for value in values) if isinstance(values, list) else (),
                )
            )
    return found
