"""What a chart shows, apart from how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sagehound.profile.downsample import downsample
from sagehound.profile.report.units import amount, clock
from sagehound.profile.series import Floats

#: More would not be seen on a screen; each keeps the lowest and the highest of what it stands for.
BUCKETS = 700


@dataclass(frozen=True)
class Line:
    """One curve: times in seconds since the epoch, the mean of each bucket and what it lies between; `ink` is the
    number of its colour, `values` how many samples stand behind it."""

    name: str
    at_s: Floats
    mean: Floats
    low: Floats
    high: Floats
    ink: int
    values: int

    @property
    def has_band(self) -> bool:
        return bool((self.high > self.low).any())


@dataclass(frozen=True)
class Chart:
    """Lines over the job's time. `unit` is "%", "B", "B/s", "s" or ""; `top` the end of the scale where it is given.
    `stacked` lines lie on each other. `note` says what is to be known to read it."""

    key: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    top: float | None = None
    stacked: bool = False
    logarithmic: bool = False
    note: str = ""
    from_zero: bool = True
    span: tuple[float, float] = field(default=(0.0, 1.0))

    @property
    def limits(self) -> tuple[float, float]:
        """Bottom and top of the scale."""
        low = min((float(line.low.min()) for line in self.lines), default=0.0)
        high = max((float(line.high.max()) for line in self.lines), default=1.0)
        if self.stacked:
            high = max((float(level.max()) for level in self.levels()), default=1.0)
        if self.logarithmic:
            return low / 1.3, high * 1.3
        bottom = min(0.0, low) if self.from_zero or self.stacked else low
        top = self.top if self.top is not None and self.top >= high else high
        margin = 0.06 * (top - bottom) or abs(top) * 0.1 or 1.0
        bottom = bottom if bottom == 0 and self.from_zero else bottom - margin
        return bottom, top if top == self.top else top + margin

    def levels(self) -> list[Floats]:
        """Of stacked lines, each one's upper edge, at the times of the first."""
        total = np.zeros(len(self.lines[0].at_s)) if self.lines else np.zeros(0)
        found = []
        for line in self.lines:
            total = total + line.mean
            found.append(total)
        return found

    def in_words(self) -> str:
        """The chart for those who cannot see it: of each line the usual, the lowest and the highest value, and when."""
        long = self.span[1] - self.span[0] > 20 * 3600
        said = []
        for line in self.lines:
            peak = int(line.high.argmax())
            said.append(
                f"{line.name}: usually {amount(float(np.median(line.mean)), self.unit)}, lowest "
                f"{amount(float(line.low.min()), self.unit)}, highest {amount(float(line.high[peak]), self.unit)} "
                f"at {clock(float(line.at_s[peak]), long)}"
            )
        return "; ".join(said) + "." if said else "Nothing was recorded."


def line(name: str, at_s: Floats, values: Floats, ink: int, span: tuple[float, float]) -> Line | None:
    """A line over the job's time, of so many points as a screen shows; None where there is no value."""
    if int(np.isfinite(values).sum()) <= BUCKETS:
        kept = np.isfinite(values) & np.isfinite(at_s) & (at_s >= span[0]) & (at_s <= span[1])
        at_s, values = at_s[kept], values[kept]
        return Line(name, at_s, values, values, values, ink, len(values)) if len(values) else None
    found = downsample(at_s, values, BUCKETS, *span)
    if not len(found.at_s):
        return None
    return Line(name, found.at_s, found.mean, found.minimum, found.maximum, ink, int(found.count.sum()))
