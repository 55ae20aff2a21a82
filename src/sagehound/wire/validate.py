"""Check a request against its operation's shape, and give it back as Python values."""

from __future__ import annotations

from typing import Any

from sagehound.errors import InvalidInput
from sagehound.wire.errors import Malformed
from sagehound.wire.model import Reference, ServiceModel, Shape
from sagehound.wire.patterns import compiled
from sagehound.wire.scalars import read_scalar

#: A fault names at most so many characters of what was given.
_SHOWN = 200
_MOST_FAULTS = 10
#: Of more values than this only the likeliest are told: there are some 300 instance types.
_MOST_CHOICES = 20


def checked(model: ServiceModel, reference: Reference | None, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """The request `value` without its nulls, its scalars as Python's.

    Malformed where a value is of another type or a field is unknown; InvalidInput, in AWS's words and naming every
    place, where it breaks a constraint.
    """
    reader = _Reader(model)
    request: dict[str, Any] = reader.structure(model.structure(reference), value, "")
    if reader.faults:
        count = len(reader.faults)
        told = "; ".join(reader.faults[:_MOST_FAULTS])
        raise InvalidInput(f"{count} validation error{'s' * (count > 1)} detected: {told}")
    return request


class _Reader:
    """One walk over a request, gathering what is wrong with it."""

    def __init__(self, model: ServiceModel) -> None:
        self.shapes = model.shapes
        self.faults: list[str] = []

    def read(self, shape: Shape, value: Any, at: str) -> Any:  # noqa: ANN401
        match shape.type:
            case "structure":
                return self.structure(shape, value, at)
            case "list":
                return self.list(shape, value, at)
            case "map":
                return self.map(shape, value, at)
        result = read_scalar(shape, value, at)
        for constraint in broken(shape, result):
            self.fault(result, at, constraint)
        return result

    def structure(self, shape: Shape, value: Any, at: str) -> dict[str, Any]:  # noqa: ANN401
        given = _dict(value, at)
        unknown = [name for name in given if name not in shape.members]
        if unknown:
            allowed = ", ".join(shape.members) or "none"
            raise Malformed(f"unknown field {_join(at, unknown[0])!r}; allowed here: {allowed}")
        for name in shape.required:
            if given.get(name) is None:
                self.faults.append(
                    f"Value null at {_camel(_join(at, name))!r} failed to satisfy constraint: Member must not be null"
                )
        result = {
            name: self.read(self.shapes[shape.members[name].shape], item, _join(at, name))
            for name, item in given.items()
            if item is not None
        }
        if shape.union and len(result) != 1:
            self.fault(list(result), at, f"Member must have exactly one of {', '.join(shape.members)}")
        return result

    def list(self, shape: Shape, value: Any, at: str) -> list[Any]:  # noqa: ANN401
        if not isinstance(value, list):
            raise Malformed(f"{str(value)[:_SHOWN]!r} at {at!r} cannot be read: it must be a list")
        for constraint in _length(shape, value):
            self.fault(value, at, constraint)
        element = self.shapes[shape.member.shape] if shape.member else shape
        return [self.read(element, item, f"{at}.{number}.member") for number, item in enumerate(value, 1)]

    def map(self, shape: Shape, value: Any, at: str) -> dict[str, Any]:  # noqa: ANN401
        given = _dict(value, at)
        for constraint in _length(shape, given):
            self.fault(given, at, constraint)
        key, element = (self.shapes[ref.shape] if ref else shape for ref in (shape.key, shape.value))
        for name in given:
            for constraint in broken(key, name):
                self.fault(name, at, f"Map keys must satisfy constraint: [{constraint}]")
        return {
            name: self.read(element, item, f"{at}.{name}.member") for name, item in given.items() if item is not None
        }

    def fault(self, value: object, at: str, constraint: str) -> None:
        shown = str(value)[:_SHOWN]
        self.faults.append(f"Value '{shown}' at {_camel(at)!r} failed to satisfy constraint: {constraint}")


def broken(shape: Shape, value: Any) -> list[str]:  # noqa: ANN401
    """The constraints of a scalar's shape that `value` breaks, in AWS's words."""
    if isinstance(value, bool):
        return []
    if isinstance(value, (int, float)):
        return _bounds(shape, value)
    faults = _length(shape, value)
    if shape.enum and value not in shape.enum:
        faults.append(f"Member must satisfy enum value set: [{_choices(shape.enum, value)}]")
    # An over-long value is not matched: a model's pattern was written for values within its bounds.
    if shape.pattern and not faults and isinstance(value, str):
        pattern = compiled(shape.pattern)
        if pattern and not pattern.fullmatch(value):
            faults.append(f"Member must satisfy regular expression pattern: {shape.pattern}")
    return faults


def _choices(allowed: tuple[str, ...], given: str) -> str:
    if len(allowed) <= _MOST_CHOICES:
        return ", ".join(allowed)
    from difflib import get_close_matches

    near = get_close_matches(given[:_SHOWN], allowed, _MOST_CHOICES // 2, cutoff=0.0)
    return f"{', '.join(near)}, and {len(allowed) - len(near)} that are less like it"


def _bounds(shape: Shape, value: float) -> list[str]:
    faults = []
    if shape.min is not None and not value >= shape.min:
        faults.append(f"Member must have value greater than or equal to {shape.min:g}")
    if shape.max is not None and not value <= shape.max:
        faults.append(f"Member must have value less than or equal to {shape.max:.15g}")
    return faults


def _length(shape: Shape, value: Any) -> list[str]:  # noqa: ANN401
    faults, size = [], len(value)
    if shape.min is not None and size < shape.min:
        faults.append(f"Member must have length greater than or equal to {shape.min:g}")
    if shape.max is not None and size > shape.max:
        faults.append(f"Member must have length less than or equal to {shape.max:.15g}")
    return faults


def _dict(value: Any, at: str) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(value, dict):
        raise Malformed(f"{str(value)[:_SHOWN]!r} at {at or 'the request'!r} cannot be read: it must be an object")
    return value


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _camel(path: str) -> str:
    """The path as AWS writes it: `resourceConfig.instanceType`."""
    return ".".join(part[:1].lower() + part[1:] for part in path.split("."))
