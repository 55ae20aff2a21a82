"""`smdebug.profiler.utils`."""

from sagehound.profile.notebook.time_units import (
    TimeUnits,
    convert_utc_datetime_to_microseconds,
    convert_utc_timestamp_to_microseconds,
    convert_utc_timestamp_to_seconds,
    us_since_epoch_to_human_readable_time,
)

__all__ = [
    "TimeUnits",
    "convert_utc_datetime_to_microseconds",
    "convert_utc_timestamp_to_microseconds",
    "convert_utc_timestamp_to_seconds",
    "us_since_epoch_to_human_readable_time",
]
