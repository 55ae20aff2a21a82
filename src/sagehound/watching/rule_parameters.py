"""A rule's parameters, which arrive as strings, as the values of its fields."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from sagehound.errors import InvalidInput

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def fields_of(rule: type, name: str, parameters: Mapping[str, str], lowest: float = -math.inf) -> dict[str, Any]:
    """The fields that the parameters of the rule `name` set. An empty text, or "None", leaves the default.

    InvalidInput for a parameter that the rule has not, one that it needs and is not given, and for a value that is not
    of the field's type, or outside of the rule's `limits` (from `lowest` on where it names none).
    """
    limits: Mapping[str, tuple[float, float]] = getattr(rule, "limits", {})
    fields = {field.name: field for field in dataclasses.fields(rule)}
    types = get_type_hints(rule)
    values = {}
    for key, text in parameters.items():
        if key not in fields:
            known = ", ".join(fields) or "none"
            raise InvalidInput(f"the rule {name} has no parameter {key!r}; its parameters are {known}")
        if str(text).strip() in ("", "None"):
            continue
        values[key] = _value(name, key, str(text).strip(), types[key])
        _within(name, key, values[key], limits.get(key, (lowest, math.inf)))
    missing = [key for key, field in fields.items() if key not in values and _required(field)]
    if missing:
        raise InvalidInput(f"the rule {name} needs the parameter {missing[0]!r}; give it in rule_parameters")
    return values


def listed(text: str) -> tuple[str, ...]:
    """The parts of a comma-separated list; a comma within brackets belongs to a part, so that regexes may have some.

    >>> listed("conv.{1,2}, fc"), listed("a,,b")
    (('conv.{1,2}', 'fc'), ('a', 'b'))
    """
    parts, depth, escaped = [""], 0, False
    for character in text:
        if character == "," and depth == 0 and not escaped:
            parts.append("")
            continue
        if not escaped:
            depth = max(0, depth + (character in "([{") - (character in ")]}"))
        escaped = character == "\\" and not escaped
        parts[-1] += character
    return tuple(part.strip() for part in parts if part.strip())


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(rule: str, key: str, text: str, kind: object) -> object:
    if isinstance(kind, UnionType):
        kind = next(arm for arm in get_args(kind) if arm is not NoneType)
    try:
        if get_origin(kind) is tuple:
            value: object = tuple(_ONE[get_args(kind)[0]](part) for part in listed(text))
        else:
            value = _ONE[kind](text)
        if key.endswith("regex"):
            for pattern in value if isinstance(value, tuple) else [text]:
                re.compile(pattern)
        return value
    except (ValueError, re.error) as error:
        raise InvalidInput(f"the rule {rule} cannot take {key}={text!r}: {error}") from error


def _within(rule: str, key: str, value: object, limits: tuple[float, float]) -> None:
    least, most = limits
    if isinstance(value, int | float) and not least <= value <= most:
        allowed = f"{least:g} to {most:g}" if math.isfinite(most) else f"{least:g} or more"
        raise InvalidInput(f"the rule {rule} cannot take {key}={value!r}: allowed is {allowed}")


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError("allowed are True and False")
    return _BOOLEANS[text.lower()]


def _whole(text: str) -> int:
    number = _real(text)
    if number != int(number):
        raise ValueError("a whole number is needed")
    return int(number)


def _real(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("a number is needed") from None
    if not math.isfinite(number):
        raise ValueError("a finite number is needed")
    return number


_ONE: dict[object, Callable[[str], object]] = {str: str, bool: _boolean, int: _whole, float: _real}
