"""Numbers as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_BYTES = ("B", "kB", "MB", "GB", "TB")


def duration(seconds: float | None) -> str:
    """A stretch of time, in two units at most.

    >>> [duration(s) for s in (0.0000042, 0.0042, 9.31, 61, 3725, 260000, None)]
    ['4.2 µs', '4.2 ms', '9.3 s', '1 min 1 s', '1 h 2 min', '3 d 0 h', 'unknown']
    """
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    if seconds < 0:
        return f"-{duration(-seconds)}"
    for limit, factor, unit in ((9.995e-4, 1e6, "µs"), (0.9995, 1e3, "ms")):
        if 0 < seconds < limit:
            return f"{number(seconds * factor)} {unit}"
    if seconds < 59.95:
        return f"{number(seconds)} s"
    whole = round(seconds)
    for size, small, names in ((86400, 3600, "d h"), (3600, 60, "h min"), (60, 1, "min s")):
        if whole >= size:
            large, little = names.split()
            return f"{whole // size} {large} {whole % size // small} {little}"
    return f"{whole} s"


def share(part: float, whole: float) -> str:
    """
    >>> share(1, 3), share(1, 3000), share(0, 3), share(1, 0)
    ('33 %', '<1 %', '0 %', 'unknown')
    """
    if not whole > 0 or not math.isfinite(part):
        return "unknown"
    percent = 100 * part / whole
    return "<1 %" if 0 < percent < 0.5 else f"{percent:.0f} %"


def number(value: float) -> str:
    """Three digits, and no more zeros than needed.

    >>> [number(v) for v in (0, 0.012345, 3.14159, 99.96, 1234567.0, 2.5e-7, float("nan"))]
    ['0', '0.0123', '3.1', '100', '1,234,567', '2.5e-07', 'nan']
    """
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else str(value)
    size = abs(value)
    if size >= 99.95:
        return f"{value:,.0f}"
    if size >= 1:
        return f"{value:.1f}".removesuffix(".0")
    return f"{value:.3g}"


def amount(value: float, unit: str) -> str:
    """A value with its unit: "%", "B" and "B/s" in steps of a thousand, "s" as a duration, "" for a bare number.

    >>> amount(1.5e9, "B"), amount(93.2, "%"), amount(0.2, "s"), amount(3, "")
    ('1.5 GB', '93.2 %', '200 ms', '3')
    """
    if unit == "s":
        return duration(value)
    if not unit.startswith("B"):
        return f"{number(value)} {unit}".rstrip()
    power = min(int(math.log10(abs(value)) // 3), len(_BYTES) - 1) if math.isfinite(value) and abs(value) >= 1 else 0
    return f"{number(value / 1000**power)} {_BYTES[power]}{unit[1:]}"


def moment(at_s: float | None) -> str:
    """A point of time in UTC.

    >>> moment(0), moment(None), moment(1e300)
    ('1970-01-01 00:00:00 UTC', 'unknown', 'unknown')
    """
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S} UTC" if at_s is not None else "unknown"
    except (ValueError, OverflowError, OSError):
        return "unknown"


def clock(at_s: float, long: bool = False) -> str:
    """The time of day in UTC, with the date where the job is long."""
    whole = moment(at_s)
    return whole if whole == "unknown" else whole[5:16] if long else whole[11:19]


def count(number_of: int, what: str) -> str:
    """
    >>> count(1, "sample"), count(1200, "sample")
    ('1 sample', '1,200 samples')
    """
    return f"{number_of:,} {what}{'' if number_of == 1 else 's'}"
