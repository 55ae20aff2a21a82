"""Reads the samples of a machine for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sagehound.errors import InvalidInput
from sagehound.profile.notebook.system_events import ProfilerSystemEvent
from sagehound.profile.notebook.time_units import TimeUnits, convert_utc_timestamp_to_microseconds
from sagehound.profile.profile_folder import ProfileFolder

_US = 1e6


class SystemMetricsReader:
    """The samples below a folder or S3 URI that ends in `profiler-output`. Nothing there yet is no error: what comes
    later is found by `refresh_event_file_list`. Times are in microseconds since the epoch."""

    def __init__(self, path: str | Path, use_in_memory_cache: bool = False) -> None:
        """`use_in_memory_cache` is taken as the original takes it: what was read is always kept here, as columns."""
        self._folder = ProfileFolder(path)
        self.refresh_event_file_list()

    def refresh_event_file_list(self) -> None:
        """Read what has come since."""
        self._folder.refresh_system()

    def get_timestamp_of_first_available_file(self) -> int:
        """When the first sample was taken; 0 where there is none."""
        times = self._times()
        return int(times[0] * _US) if len(times) else 0

    def get_timestamp_of_latest_available_file(self) -> int:
        """When the last sample that is there was taken, rounded up; 0 where there is none."""
        times = self._times()
        return int(np.ceil(times[-1] * _US)) if len(times) else 0

    def table(self, start_us: float = 0, end_us: float | None = None) -> pa.Table:
        """The samples from `start_us` to `end_us` (both included; None: to the last), sorted by time, as Arrow columns:
        those of `sagehound.profile.tables.SYSTEM` and "type"."""
        table = self._folder.samples.typed_table()
        times = table["timestamp_s"].to_numpy()
        first = int(np.searchsorted(times, start_us / _US, side="left"))
        last = len(times) if end_us is None else int(np.searchsorted(times, end_us / _US, side="right"))
        return table.slice(first, max(0, last - first))

    def get_events(
        self,
        start_time: float,
        end_time: float,
        unit: TimeUnits = TimeUnits.MICROSECONDS,
        event_type: str | None = None,
        file_suffix_filter: Sequence[str] | None = None,
    ) -> list[ProfilerSystemEvent]:
        """The samples in a stretch of time, of one type ("cpu", "gpu") where it is given, in the order of time.

        A million samples are a million objects: `table` has the same in columns.
        """
        start_us = convert_utc_timestamp_to_microseconds(start_time, unit)
        end_us = convert_utc_timestamp_to_microseconds(end_time, unit)
        if end_us > self.get_timestamp_of_latest_available_file():
            self.refresh_event_file_list()
        found = self.table(start_us, end_us)
        if event_type is not None:
            found = found.filter(pc.equal(found["type"], event_type))
        columns = (found[name].to_pylist() for name in ("type", "name", "dimension", "value", "node", "timestamp_s"))
        return [ProfilerSystemEvent(*row) for row in zip(*columns, strict=True)]

    def _times(self) -> np.ndarray:
        times: np.ndarray = self._folder.samples.typed_table()["timestamp_s"].to_numpy()
        return times


class LocalSystemMetricsReader(SystemMetricsReader):
    """The samples in a folder on this machine."""

    def __init__(self, trace_root_folder: str | Path, use_in_memory_cache: bool = False) -> None:
        super().__init__(trace_root_folder, use_in_memory_cache)
        self.trace_root_folder = trace_root_folder


class S3SystemMetricsReader(SystemMetricsReader):
    """The samples below an S3 URI."""

    def __init__(self, s3_trial_path: str, use_in_memory_cache: bool = False) -> None:
        if not str(s3_trial_path).startswith("s3://"):
            raise InvalidInput(f"{s3_trial_path} is no S3 URI: it is written s3://bucket/prefix")
        super().__init__(s3_trial_path, use_in_memory_cache)
