"""What a chart shows, apart from how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sagehound.pages.units import amount, clock
from sagehound.profile.downsample import downsample
from sagehound.profile.series import Floats

#: More would not be seen on a screen; each keeps the lowest and the highest of what it stands for.
BUCKETS = 700


@dataclass(frozen=True)
class Line:
    """One curve: times in seconds since the epoch, the mean of each bucket and what it lies between; `ink` is the
    number of its colour, `values` how many samples stand behind it. Where nothing was seen for long, the line has a
    gap, unless it is `joined`."""

    name: str
    at_s: Floats
    mean: Floats
    low: Floats
    high: Floats
    ink: int
    values: int
    joined: bool = False

    @property
    def gaps(self) -> np.ndarray:
        """The places before which nothing was seen for long."""
        apart = np.diff(self.at_s)
        if self.joined or len(apart) < 3:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(apart > max(8 * float(np.median(apart)), 1e-3 * float(apart.sum()))) + 1

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

    @property
    def axis(self) -> tuple[float, str]:
        """By what the values are multiplied on the scale, and their unit there.

        >>> Chart("a", "A", "s", (), top=0.2).axis, Chart("a", "A", "B/s", (), top=3e6).axis
        ((1000.0, 'ms'), (1e-06, 'MB/s'))
        """
        top = self.limits[1]
        if self.unit == "s":
            return next(((by, unit) for by, unit in ((1e6, "µs"), (1e3, "ms")) if top * by < 2000), (1.0, "s"))
        if self.unit.startswith("B"):
            power = next((p for p in range(5) if top < 2 * 1000 ** (p + 1)), 4)
            return 1000.0**-power, f"{('', 'k', 'M', 'G', 'T')[power]}{self.unit}"
        return 1.0, self.unit

    def levels(self) -> list[Floats]:
        """Of stacked lines, each one's upper edge, at the times of the first."""
        total = np.zeros(len(self.lines[0].at_s)) if self.lines else np.zeros(0)
        found = []
        for line in self.lines:
            total = total + line.mean
            found.append(total)
        return found

    def stack(self) -> tuple[Floats, list[Floats]]:
        """Of stacked lines, the times and each one's upper edge, which falls to 0 where nothing was seen for long."""
        if not self.lines:
            return np.zeros(0), []
        at_s, gaps = self.lines[0].at_s, self.lines[0].gaps
        little = float(self.span[1] - self.span[0]) * 1e-6
        edges = np.column_stack((at_s[gaps - 1] + little, at_s[gaps] - little)).ravel()
        places = np.repeat(gaps, 2)
        return np.insert(at_s, places, edges), [np.insert(level, places, 0.0) for level in self.levels()]

    def in_words(self, short: bool = False) -> str:
        """The chart for those who cannot see it: of each line the usual, the lowest and the highest value, and when."""
        long = self.span[1] - self.span[0] > 20 * 3600
        said = []
        for line in self.lines:
            peak = int(line.high.argmax())
            words = f"{line.name}: usually {amount(float(np.median(line.mean)), self.unit)}"
            if not short:
                words += f", lowest {amount(float(line.low.min()), self.unit)}"
            if not (short and self.stacked):
                words += (
                    f", highest {amount(float(line.high[peak]), self.unit)} at {clock(float(line.at_s[peak]), long)}"
                )
            said.append(words)
        return "; ".join(said) + "." if said else "Nothing was recorded."


def line(
    name: str, at_s: Floats, values: Floats, ink: int, span: tuple[float, float], joined: bool = False
) -> Line | None:
    """A line over the job's time, of so many points as a screen shows; None where there is no value."""
    if int(np.isfinite(values).sum()) <= BUCKETS:
        kept = np.isfinite(values) & np.isfinite(at_s) & (at_s >= span[0]) & (at_s <= span[1])
        at_s, values = at_s[kept], values[kept]
        return Line(name, at_s, values, values, values, ink, len(values), joined) if len(values) else None
    found = downsample(at_s, values, BUCKETS, *span)
    if not len(found.at_s):
        return None
    return Line(name, found.at_s, found.mean, found.minimum, found.maximum, ink, int(found.count.sum()), joined)
