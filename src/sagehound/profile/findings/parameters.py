"""A rule's parameters, which arrive as strings, as the values of its fields."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from sagehound.errors import InvalidInput


def fields_of(rule: type, name: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The fields that the parameters of the rule `name` set. An empty text, or "None", leaves the default.

    InvalidInput for a parameter that the rule has not, or a value outside of its `limits`.
    """
    fields = {field.name for field in dataclasses.fields(rule)}
    types = get_type_hints(rule)
    limits: Mapping[str, tuple[float, float]] = getattr(rule, "limits", {})
    values = {}
    for key, text in parameters.items():
        if key not in fields:
            known = ", ".join(field.name for field in dataclasses.fields(rule)) or "none"
            raise InvalidInput(f"the rule {name} has no parameter {key!r}; its parameters are {known}")
        if str(text).strip() in ("", "None"):
            continue
        values[key] = _value(name, key, str(text).strip(), types[key])
        _within(name, key, values[key], limits.get(key, (0, math.inf)))
    return values


def _value(rule: str, key: str, text: str, kind: object) -> object:
    if isinstance(kind, UnionType):
        kind = next(arm for arm in get_args(kind) if arm is not NoneType)
    if kind is str:
        return text
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInput(f"the rule {rule} cannot take {key}={text!r}: a number is needed")
    if kind is not int:
        return number
    if number != int(number):
        raise InvalidInput(f"the rule {rule} cannot take {key}={text!r}: a whole number is needed")
    return int(number)


def _within(rule: str, key: str, value: object, limits: tuple[float, float]) -> None:
    least, most = limits
    if isinstance(value, int | float) and not least <= value <= most:
        allowed = f"{least:g} to {most:g}" if math.isfinite(most) else f"{least:g} or more"
        raise InvalidInput(f"the rule {rule} cannot take {key}={value!r}: allowed is {allowed}")
