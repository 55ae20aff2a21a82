"""A profile as pandas frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sagehound.profile.notebook.algorithm_metrics_reader import AlgorithmMetricsReader
from sagehound.profile.notebook.system_metrics_reader import SystemMetricsReader
from sagehound.profile.notebook.time_units import convert_utc_datetime_to_microseconds
from sagehound.profile.notebook.trace_event import TraceEvent

_SYSTEM = ["timestamp", "timestamp_us", "value", "system_metric", "dimension", "nodeID", "type"]
_FRAMEWORK = ["start_time", "end_time", "start_time_us", "end_time_us", "tid", "pid", "framework_metric", "step"]
_FRAMEWORK += ["bytes", "process", "nodeID"]
_LOADER = ["start_time", "end_time", "start_time_us", "end_time_us", "duration_us", "pid", "framework_metric", "step"]
_LOADER += ["worker_id", "num_workers", "pin_memory", "process", "node_id"]
Times = tuple[list[float], list[float]]


class PandasFrame:
    """Frames of the profile below a folder or S3 URI that ends in `profiler-output`.

    Columns that end in `_us` count from the first sample (`start_time`, microseconds since the epoch); "timestamp",
    "start_time" and "end_time" are text in UTC. The columns are the original's.
    """

    def __init__(self, path: str | Path, use_in_memory_cache: bool = False, scan_interval: int = 5000000000) -> None:
        """`scan_interval` is taken as the original takes it and has no effect: what is read is bounded without it."""
        self.path = str(path)
        self.interval = scan_interval
        self.system_metrics_reader = SystemMetricsReader(path)
        self.framework_metrics_reader = AlgorithmMetricsReader(path, use_in_memory_cache)
        self.start_time = self.system_metrics_reader.get_timestamp_of_first_available_file()

    def get_all_system_metrics(self, selected_system_metrics: Sequence[str] = ()) -> pd.DataFrame:
        """Every sample; of the cores, devices or parts of these names alone where some are given."""
        self.system_metrics_reader.refresh_event_file_list()
        return self._system(0, None, selected_system_metrics)

    def get_all_framework_metrics(self, selected_framework_metrics: Sequence[str] = ()) -> pd.DataFrame:
        """Every event of the timeline; those of these names or rows ("Forward") alone where some are given."""
        self.framework_metrics_reader.refresh_event_file_list()
        return self._framework(0, self._latest(), selected_framework_metrics)

    def get_profiler_data_by_time(
        self,
        start_time_us: float,
        end_time_us: float,
        cache_metrics: bool = False,
        selected_framework_metrics: Sequence[str] = (),
        selected_system_metrics: Sequence[str] = (),
        get_framework_metrics: bool = True,
        get_system_metrics: bool = True,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """System and framework frames of a stretch of time, in microseconds since the epoch."""
        # A stretch that ends before it begins has nothing in it.
        nothing = (1.0, 0.0)
        system = (start_time_us, end_time_us) if get_system_metrics else nothing
        framework = (start_time_us, end_time_us) if get_framework_metrics else nothing
        return self._system(*system, selected_system_metrics), self._framework(*framework, selected_framework_metrics)

    def get_profiler_data_by_step(
        self, start_step: int, end_step: int, cache_metrics: bool = False
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """System and framework frames of steps, both included."""
        events = self.get_all_framework_metrics()
        events = events[events["step"].between(start_step, end_step)]
        samples = self.get_all_system_metrics()
        kept = samples["timestamp_us"].between(events["start_time_us"].min(), events["end_time_us"].max())
        return samples[kept], events

    def get_all_dataloader_metrics(self, selected_framework_metrics: Sequence[str] = ()) -> pd.DataFrame:
        """Every event with what is known of the loader: its worker, how many there are, whether memory is pinned."""
        self.framework_metrics_reader.refresh_event_file_list()
        events = [
            event
            for event in self.framework_metrics_reader.get_events(0, self._latest())
            if _matches(event, selected_framework_metrics)
        ]
        rows = [
            (*_span(event, self.start_time), event.duration, event.pid, event.shown_name, event.step, *_loader(event))
            for event in events
        ]
        return _with_times(pd.DataFrame(rows, columns=_LOADER), self.start_time)

    def get_framework_metrics_by_timesteps(
        self, timestep_list: Sequence[Any] = (), selected_framework_metrics: Sequence[str] = ()
    ) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
        """What was going on at moments: time in each row (the longest is 1), in each event, and in each kind of step.

        Moments are datetimes or text as the frames have it. Times of events in microseconds.
        """
        moments = sorted(map(self.convert_datetime_to_timestamp, timestep_list))
        if not moments:
            return {}, {}, {}
        spans = ([float(each) for each in moments], [float(each) for each in moments])
        rows, names = self._going_on(spans, selected_framework_metrics, strictly=True)
        steps = {name: time for name, time in rows.items() if "Step" in name}
        return _shares({name: time for name, time in rows.items() if "Step" not in name}), names, steps

    def get_framework_metrics_by_begin_and_end_timesteps(
        self,
        begin_timestep_list: Sequence[Any],
        end_timestep_list: Sequence[Any],
        selected_framework_metrics: Sequence[str] = (),
    ) -> tuple[dict[str, float], dict[str, float]]:
        """What was going on in stretches of time: time in each row and in each event, the longest of each is 1."""
        begins = [float(self.convert_datetime_to_timestamp(each)) for each in begin_timestep_list]
        ends = [float(self.convert_datetime_to_timestamp(each)) for each in end_timestep_list]
        rows, names = self._going_on((begins, ends), selected_framework_metrics, strictly=False)
        return _shares({name: time for name, time in rows.items() if "Step" not in name}), _shares(names)

    def convert_datetime_to_timestamp(self, timestamp: Any) -> int:  # noqa: ANN401 - text or any datetime
        """A moment in microseconds since the epoch."""
        known = pd.to_datetime(timestamp, format="%Y-%m-%dT%H:%M:%S:%f", utc=True)
        return convert_utc_datetime_to_microseconds(known.to_pydatetime(warn=False))

    def _latest(self) -> int:
        return self.framework_metrics_reader.get_timestamp_of_latest_available_file()

    def _system(self, start_us: float, end_us: float | None, selected: Sequence[str]) -> pd.DataFrame:
        table = self.system_metrics_reader.table(start_us, end_us)
        if selected:
            table = table.filter(pc.is_in(table["name"], pa.array(list(selected), type=pa.string())))
        times_us = (table["timestamp_s"].to_numpy() * 1e6).astype(np.int64)
        frame = pd.DataFrame(
            {
                "timestamp": _texts(times_us),
                "timestamp_us": times_us - self.start_time,
                "value": table["value"].to_numpy(),
                "system_metric": table["name"].to_pandas(),
                "dimension": table["dimension"].to_pandas(),
                "nodeID": table["node"].to_pandas(),
                "type": table["type"].to_pandas(),
            },
            columns=_SYSTEM,
        )
        return frame.drop_duplicates(ignore_index=True)

    def _framework(self, start_us: float, end_us: float, selected: Sequence[str]) -> pd.DataFrame:
        rows = [
            (
                *_span(event, self.start_time),
                event.tid,
                event.pid,
                event.shown_name,
                event.step,
                (event.event_args or {}).get("bytes_fetched", -1),
                event.event_phase,
                event.node_id,
            )
            for event in self.framework_metrics_reader.get_events(start_us, end_us)
            if not selected or event.event_name in selected or event.event_phase in selected
        ]
        return _with_times(pd.DataFrame(rows, columns=_FRAMEWORK), self.start_time)

    def _going_on(
        self, spans: Times, selected: Sequence[str], strictly: bool
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Time in the rows and in the events that reach into each span (begin and end, microseconds)."""
        rows: dict[str, float] = {}
        names: dict[str, float] = {}
        begins, ends = (np.array(side) for side in spans)
        if not len(begins):
            return rows, names
        for event in self.framework_metrics_reader.get_events(begins.min(), ends.max()):
            if selected and event.event_name not in selected and event.event_phase not in selected:
                continue
            before, after = (np.less, np.greater) if strictly else (np.less_equal, np.greater_equal)
            times = int((before(event.start_time, ends) & after(event.end_time, begins)).sum())
            if times:
                rows[event.event_phase] = rows.get(event.event_phase, 0.0) + times * event.duration
            if times and "Step" not in event.event_name:
                names[event.event_name] = names.get(event.event_name, 0.0) + times * event.duration
        return rows, names


def _span(event: TraceEvent, zero_us: int) -> tuple[str, str, int, int]:
    """The first four columns; the texts are made for all rows at once."""
    return "", "", int(event.start_time) - zero_us, int(event.end_time) - zero_us


def _with_times(frame: pd.DataFrame, zero_us: int) -> pd.DataFrame:
    for column in ("start_time", "end_time"):
        frame[column] = _texts(frame[f"{column}_us"].to_numpy(dtype=np.int64) + zero_us)
    return frame.drop_duplicates(ignore_index=True)


def _texts(times_us: np.ndarray) -> np.ndarray:
    """As `us_since_epoch_to_human_readable_time`, of many at once."""
    texts = np.datetime_as_string(times_us.astype("datetime64[us]"), unit="us").astype(object)
    return np.array([f"{text[:19]}:{text[20:]}" for text in texts], dtype=object)


def _matches(event: TraceEvent, patterns: Sequence[str]) -> bool:
    import re

    return not patterns or any(re.search(p, name) for p in patterns for name in (event.event_name, event.event_phase))


def _loader(event: TraceEvent) -> tuple[Any, ...]:
    args = event.event_args or {}
    pinned = str(args["pin_memory"] is True) if "pin_memory" in args else "NA"
    return args.get("worker_id", -1), args.get("num_workers", -1), pinned, event.event_phase, event.node_id


def _shares(times: dict[str, float]) -> dict[str, float]:
    longest = max(times.values(), default=0.0)
    return {name: time / longest for name, time in times.items()} if longest else times
