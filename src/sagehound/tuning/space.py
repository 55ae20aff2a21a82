"""The space of hyperparameter values. Values are text throughout, as SageMaker has them: an integer is '3', a float
is what `repr` writes, a category is exactly what was given (the SDK v2 sends `"32"` with its quotes)."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sagehound.errors import InvalidInput
from sagehound.tuning.scaling import Scaling

#: The values of one trial by name, each as text.
Values = dict[str, str]

MAX_RANGES = 30
MAX_CATEGORIES = 30
#: Whole numbers up to here are floats too; beyond, neighbours cannot be told apart.
_EXACT = 2**53
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d+")


@dataclass(frozen=True, slots=True)
class Continuous:
    """Every float from `low` to `high`, both included. `scaling` Auto is resolved at once."""

    name: str
    low: float
    high: float
    scaling: Scaling = Scaling.AUTO

    def __post_init__(self) -> None:
        object.__setattr__(self, "scaling", _resolved(self))

    @property
    def size(self) -> int | None:
        """How many values there are; None for endlessly many."""
        return 1 if self.low == self.high else None

    def at(self, fraction: float) -> str:
        """The value at `fraction` (0 to 1) of the way through the range, on its scale."""
        return self.text(self.scaling.between(self.low, self.high, fraction))

    def text(self, value: float) -> str:
        """`value` as SageMaker writes it, moved into the range where rounding took it out."""
        return repr(min(max(float(value), self.low), self.high))

    def parse(self, text: str) -> float:
        """The number in `text`; InvalidInput where there is none, or it is outside the range."""
        return _inside(self, _number(self.name, text), text)

    def values(self) -> Iterator[str]:
        """Every value, where they can be counted."""
        return iter([self.text(self.low)])


@dataclass(frozen=True, slots=True)
class Integer:
    """Every whole number from `low` to `high`, both included."""

    name: str
    low: int
    high: int
    scaling: Scaling = Scaling.AUTO

    def __post_init__(self) -> None:
        if not -_EXACT <= self.low <= self.high <= _EXACT:
            _refuse_inverted(self)
            raise InvalidInput(f"range {self.name} is {self.low} to {self.high}; allowed are -2^53 to 2^53")
        if self.scaling is Scaling.REVERSE_LOGARITHMIC:
            raise InvalidInput(f"integer range {self.name} cannot be {self.scaling}; choose Auto, Linear, Logarithmic")
        object.__setattr__(self, "scaling", _resolved(self))

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.high - self.low + 1

    def at(self, fraction: float) -> str:
        """The value at `fraction` (0 to 1) of the way; the first and the last have a whole step of their own."""
        return self.text(round(self.scaling.between(self.low - 0.5, self.high + 0.5, fraction)))

    def text(self, value: int) -> str:
        """`value` as SageMaker writes it, moved into the range where rounding took it out."""
        return str(min(max(value, self.low), self.high))

    def parse(self, text: str) -> int:
        """The whole number in `text`; InvalidInput where there is none, or it is outside the range."""
        return int(_inside(self, _integer(self.name, text), text))

    def values(self) -> Iterator[str]:
        """Every value, from the lowest."""
        return map(str, range(self.low, self.high + 1))


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of `categories`, each taken as it was written."""

    name: str
    categories: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.categories) <= MAX_CATEGORIES:
            raise InvalidInput(f"range {self.name} has {len(self.categories)} values; give 1 to {MAX_CATEGORIES}")
        if len(set(self.categories)) < len(self.categories):
            raise InvalidInput(f"range {self.name} has a value twice: {', '.join(self.categories)}; give each once")

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.categories)

    def at(self, fraction: float) -> str:
        """The category at `fraction` (0 to 1) of the way through the list."""
        return self.categories[min(int(fraction * self.size), self.size - 1)]

    def text(self, value: str) -> str:
        """`value` as it was given."""
        return value

    def parse(self, text: str) -> str:
        """`text` itself; InvalidInput where it is no category."""
        if text not in self.categories:
            raise InvalidInput(f"{self.name} is {text!r}; allowed are {', '.join(self.categories)}")
        return text

    def values(self) -> Iterator[str]:
        """Every category, in the order given."""
        return iter(self.categories)


Range = Continuous | Integer | Categorical


class RangeText(Protocol):
    """A range as a request writes it: `type` Continuous, Integer or Categorical, its bounds or categories as text."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def low(self) -> str: ...
    @property
    def high(self) -> str: ...
    @property
    def scaling(self) -> str: ...
    @property
    def values(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Space:
    """All combinations of values of its ranges, whose order is the order of the values."""

    ranges: tuple[Range, ...]

    def __post_init__(self) -> None:
        names = [each.name for each in self.ranges]
        if not 1 <= len(names) <= MAX_RANGES:
            raise InvalidInput(f"a tuning job searches 1 to {MAX_RANGES} hyperparameters, not {len(names)}")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInput(f"more than one range is given for {', '.join(twice)}; give each hyperparameter one")

    @classmethod
    def parse(cls, ranges: Iterable[RangeText]) -> Space:
        """The space of a request's ranges; InvalidInput names the range that cannot be searched."""
        return cls(tuple(_range(each) for each in ranges))

    @property
    def size(self) -> int | None:
        """How many combinations there are; None for endlessly many."""
        sizes = [each.size for each in self.ranges]
        return math.prod(size for size in sizes if size) if None not in sizes else None

    def at(self, fractions: Sequence[float]) -> Values:
        """The combination at `fractions` (each 0 to 1, one a range)."""
        return {each.name: each.at(fraction) for each, fraction in zip(self.ranges, fractions, strict=True)}

    def check(self, values: Values) -> Values:
        """`values`, every range's and no other; InvalidInput tells what does not belong to the space."""
        if values.keys() != {each.name for each in self.ranges}:
            wanted = ", ".join(each.name for each in self.ranges)
            raise InvalidInput(f"a trial has values for {', '.join(values) or 'nothing'}; it needs them for {wanted}")
        for each in self.ranges:
            each.parse(values[each.name])
        return values

    def adopted(self, values: Values) -> Values | None:
        """`values` of a trial of another space as they would be here, for a warm start; None where they do not fit: a
        range has no value among them, or one that lies outside. What has no range here is left out."""
        try:
            return self.check({each.name: values[each.name] for each in self.ranges})
        except (KeyError, InvalidInput):
            return None

    def combinations(self) -> Iterator[Values]:
        """Every combination once, the last range's values changing fastest. For a space with a `size`."""
        names = [each.name for each in self.ranges]
        for combination in itertools.product(*(tuple(each.values()) for each in self.ranges)):
            yield dict(zip(names, combination, strict=True))


def _range(given: RangeText) -> Range:
    if given.type == "Categorical":
        return Categorical(given.name, tuple(given.values))
    if given.scaling not in list(Scaling):
        raise InvalidInput(f"range {given.name} has scaling {given.scaling!r}; allowed are {', '.join(Scaling)}")
    scaling = Scaling(given.scaling)
    if given.type == "Integer":
        return Integer(given.name, _integer(given.name, given.low), _integer(given.name, given.high), scaling)
    if given.type == "Continuous":
        return Continuous(given.name, _number(given.name, given.low), _number(given.name, given.high), scaling)
    raise InvalidInput(f"range {given.name} is {given.type!r}; allowed are Continuous, Integer, Categorical")


def _resolved(given: Continuous | Integer) -> Scaling:
    _refuse_inverted(given)
    if not math.isfinite(given.high - given.low):
        raise InvalidInput(f"range {given.name} is {given.low} to {given.high}, too wide to measure; narrow it")
    try:
        return given.scaling.resolved(given.low, given.high)
    except InvalidInput as error:
        raise InvalidInput(f"range {given.name}: {error}") from None


def _refuse_inverted(given: Continuous | Integer) -> None:
    if given.low > given.high:
        raise InvalidInput(f"range {given.name} has minimum {given.low} above maximum {given.high}; swap them")


def _number(name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise InvalidInput(f"{name}: {text!r} is not a finite number; write it as 0.01 or 1e-2")
    return float(text)


def _integer(name: str, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise InvalidInput(f"{name}: {text!r} is not a whole number; write it as 3, or make the range continuous")
    return int(text)


def _inside(given: Continuous | Integer, value: float, text: str) -> float:
    if not given.low <= value <= given.high:
        raise InvalidInput(f"{given.name} is {text}; allowed is {given.low} to {given.high}")
    return value
