"""Units of time stamps, as readers are asked in."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum


class TimeUnits(Enum):
    """What a time stamp counts, since the epoch."""

    SECONDS = 1
    MILLISECONDS = 2
    MICROSECONDS = 3
    NANOSECONDS = 4


_MICROSECONDS = {
    TimeUnits.SECONDS: 1e6,
    TimeUnits.MILLISECONDS: 1e3,
    TimeUnits.MICROSECONDS: 1.0,
    TimeUnits.NANOSECONDS: 1e-3,
}


def convert_utc_timestamp_to_microseconds(timestamp: float, unit: TimeUnits = TimeUnits.MICROSECONDS) -> int:
    """A time stamp in whole microseconds."""
    return int(timestamp) if unit is TimeUnits.MICROSECONDS else int(timestamp * _MICROSECONDS[unit])


def convert_utc_timestamp_to_seconds(timestamp: float, unit: TimeUnits = TimeUnits.MICROSECONDS) -> float:
    """A time stamp in seconds."""
    return timestamp * _MICROSECONDS[unit] / 1e6


def convert_utc_datetime_to_microseconds(moment: datetime) -> int:
    """A moment in whole microseconds since the epoch; one without a zone is in UTC."""
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(known.timestamp() * 1e6)


def us_since_epoch_to_human_readable_time(us_since_epoch: float) -> str:
    """A time stamp as text, in UTC.

    >>> us_since_epoch_to_human_readable_time(1591160699457089)
    '2020-06-03T05:04:59:457089'
    """
    return datetime.fromtimestamp(us_since_epoch / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S:%f")
