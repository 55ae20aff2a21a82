"""The scales of the charts: where a value lies, and which values are written at them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sagehound.errors import InvalidInput
from sagehound.pages.ticks import decades, ticks
from sagehound.pages.units import number
from sagehound.tuning.report.study import shown
from sagehound.tuning.scaling import Scaling
from sagehound.tuning.space import Categorical, Continuous, Integer, Range

#: A chart reaches so far beyond its outermost values.
_MARGIN = 0.05
#: From this ratio of greatest to smallest on, values above 0 are drawn by their logarithm.
_WIDE = 50.0
_LABEL_CHARACTERS = 14


@dataclass(frozen=True, slots=True)
class Scale:
    """Places from `low` to `high`. A `log` scale has the values themselves as places, and so has a linear one; on a
    scale with `fixed` labels (place and words) a place is what `HyperparameterAxis` says."""

    title: str
    low: float
    high: float
    log: bool = False
    fixed: tuple[tuple[float, str], ...] = ()

    def fraction(self, place: float) -> float:
        """How far up the scale a place lies, 0 to 1."""
        low, high, at = (math.log10(each) for each in (self.low, self.high, place)) if self.log else (
            self.low, self.high, place)  # fmt: skip
        return (at - low) / (high - low)

    def at(self, fraction: float) -> float:
        """The place that lies so far up the scale."""
        if self.log:
            return float(self.low * (self.high / self.low) ** fraction)
        return self.low + fraction * (self.high - self.low)

    def labels(self, wanted: int = 5) -> list[tuple[float, str]]:
        """Places, and what is written there."""
        if self.fixed:
            return list(self.fixed)
        found = decades(self.low, self.high) if self.log else ticks(self.low, self.high, wanted)
        if self.log and len(found) < 2:
            found = sorted({*found, *_between(self.low, self.high)})
        return [(each, number(each)) for each in found]


@dataclass(frozen=True, slots=True)
class HyperparameterAxis:
    """A hyperparameter's range as a scale, in the way in which it was searched."""

    range: Range
    scale: Scale

    def place(self, text: str) -> float | None:
        """Where a value lies; None for one that is not of the range."""
        try:
            value = self.range.parse(text)
        except InvalidInput:
            return None
        if isinstance(self.range, Categorical):
            return float(self.range.categories.index(text))
        return self.range.scaling.forward(float(value)) if self.scale.fixed else float(value)


def axis(given: Range) -> HyperparameterAxis:
    """The axis of a range."""
    if isinstance(given, Categorical):
        labels = tuple((float(place), _cut(shown(each))) for place, each in enumerate(given.categories))
        return HyperparameterAxis(given, Scale(given.name, -0.5, len(labels) - 0.5, fixed=labels))
    if given.scaling is Scaling.REVERSE_LOGARITHMIC:
        return HyperparameterAxis(given, _reverse(given))
    log = given.scaling is Scaling.LOGARITHMIC
    return HyperparameterAxis(given, _numeric(given.name, float(given.low), float(given.high), log))


def values(title: str, every: Iterable[float]) -> Scale:
    """A scale that holds these values; by their logarithm where they are of very different size."""
    known = [each for each in every if math.isfinite(each)] or [0.0, 1.0]
    low, high = min(known), max(known)
    return _numeric(title, low, high, low > 0 and high / low > _WIDE)


def _numeric(title: str, low: float, high: float, log: bool) -> Scale:
    if log and low < high:
        margin = (high / low) ** _MARGIN
        return Scale(title, low / margin, high * margin, log=True)
    margin = (high - low) * _MARGIN or abs(high) * 0.1 or 1.0
    return Scale(title, low - margin, high + margin)


def _reverse(given: Continuous | Integer) -> Scale:
    low, high = given.low, given.high
    between = [1 - 10.0**-power for power in range(1, 9) if low < 1 - 10.0**-power < high]
    labels = tuple((given.scaling.forward(each), f"{each:.10g}") for each in sorted({low, *between, high}))
    margin = (labels[-1][0] - labels[0][0]) * _MARGIN or 0.5
    return Scale(given.name, labels[0][0] - margin, labels[-1][0] + margin, fixed=labels)


def _between(low: float, high: float) -> list[float]:
    """A few round numbers of a range that holds no two powers of ten."""
    power = 10.0 ** math.floor(math.log10(low))
    return [factor * power for factor in (1, 2, 5, 10, 20, 50) if low <= factor * power <= high]


def _cut(text: str) -> str:
    return text if len(text) <= _LABEL_CHARACTERS else f"{text[: _LABEL_CHARACTERS - 1]}…"
