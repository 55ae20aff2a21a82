"""Reads the timeline of a training for a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from sagehound.errors import InvalidInput
from sagehound.profile.files import open_files, read_all
from sagehound.profile.notebook.time_units import TimeUnits, convert_utc_timestamp_to_microseconds
from sagehound.profile.notebook.trace_event import TraceEvent
from sagehound.profile.trace_events import Reader
from sagehound.profile.trace_format import EVENTS_FOLDER, SUFFIX

#: A file has events that ended up to so long before the time in its name, as the original's files have.
_BUFFER_US = 3 * 60 * 1_000_000
_FOLDER = f"{EVENTS_FOLDER}/"
_TYPES = {"horovod_timeline.json": "HorovodMetrics", "smdataparallel_timeline.json": "SMDataParallelMetrics"}


class _Record(msgspec.Struct, gc=False):
    name: str = ""
    ph: str = ""
    cat: str = ""
    ts: float = 0.0
    dur: float = 0.0
    pid: int | str = 0
    tid: int | str = 0
    args: dict[str, Any] | None = None


_reader = Reader(_Record)


class AlgorithmMetricsReader:
    """The timeline below a folder or S3 URI that ends in `profiler-output`. Nothing there yet is no error: what comes
    later is found by `refresh_event_file_list`. Times are in microseconds since the epoch."""

    def __init__(self, path: str | Path, use_in_memory_cache: bool = False) -> None:
        """`use_in_memory_cache`: keep the events of files that were read; else they are read again when asked for."""
        self._files = open_files(path)
        self._caches = use_in_memory_cache
        self._sizes: dict[str, int] = {}
        self._cache: dict[str, tuple[int, list[TraceEvent]]] = {}
        self.refresh_event_file_list()

    def refresh_event_file_list(self) -> None:
        """See which files there are by now."""
        found = self._files.sizes(_FOLDER)
        self._sizes = {name: size for name, size in found.items() if _end_us(name) is not None}

    def get_timestamp_of_first_available_file(self) -> int:
        """The time in the first file's name, at which all its events had ended; 0 where there is none."""
        return min(self._ends(), default=0)

    def get_timestamp_of_latest_available_file(self) -> int:
        """The time in the last file's name, after which no event that is there ended; 0 where there is none."""
        return max(self._ends(), default=0)

    def get_current_time_range_for_event_query(self) -> tuple[int, int]:
        """Both of these."""
        return self.get_timestamp_of_first_available_file(), self.get_timestamp_of_latest_available_file()

    def get_events(
        self,
        start_time: float,
        end_time: float,
        unit: TimeUnits = TimeUnits.MICROSECONDS,
        event_type: str | None = None,
        file_suffix_filter: Sequence[str] | None = None,
    ) -> list[TraceEvent]:
        """The events that were going on at some time of the stretch, in the order of their start.

        `file_suffix_filter` are ends of file names, `event_type` has no effect on a timeline (nor in the original).
        """
        start_us = convert_utc_timestamp_to_microseconds(start_time, unit)
        end_us = convert_utc_timestamp_to_microseconds(end_time, unit)
        if end_us >= self.get_timestamp_of_latest_available_file():
            self.refresh_event_file_list()
        names = list(self._wanted(start_us, end_us, tuple(file_suffix_filter or ("",))))
        events = (event for event in self._events(names) if event.end_time >= start_us and event.start_time <= end_us)
        return sorted(events, key=lambda event: (event.start_time, -event.duration))

    def get_events_by_step(
        self,
        start_step: int,
        end_step: int,
        event_type: str | None = None,
        file_suffix_filter: Sequence[str] | None = None,
    ) -> list[TraceEvent]:
        """The events from the start of one step to that of another, in the mode that comes first; none where either is
        not there."""
        self.refresh_event_file_list()
        steps = [
            event
            for event in self.get_events(0, self.get_timestamp_of_latest_available_file(), file_suffix_filter=[SUFFIX])
            if event.step >= 0
        ]
        starts = {
            number: event.start_time for event in reversed(steps) if (number := event.step) in (start_step, end_step)
        }
        if len(starts) < len({start_step, end_step}):
            return []
        return self.get_events(
            starts[start_step], starts[end_step] - 1, TimeUnits.MICROSECONDS, event_type, file_suffix_filter
        )

    def _ends(self) -> Iterator[int]:
        return (end for name in self._sizes if (end := _end_us(name)) is not None)

    def _wanted(self, start_us: float, end_us: float, ends: tuple[str, ...]) -> Iterator[str]:
        for name in self._sizes:
            closed = _end_us(name)
            if closed is not None and start_us <= closed <= end_us + _BUFFER_US and name.endswith(ends):
                yield name

    def _events(self, names: Iterable[str]) -> Iterator[TraceEvent]:
        """The events of files, in the order of the files."""
        missing = []
        for name in names:
            size, events = self._cache.get(name, (-1, []))
            if size == self._sizes[name]:
                yield from events
            else:
                missing.append((name, 0))
        for name, _, data in read_all(self._files, missing):
            events = list(_events_in(name, data))
            if self._caches:
                self._cache[name] = self._sizes[name], events
            yield from events


class LocalAlgorithmMetricsReader(AlgorithmMetricsReader):
    """The timeline in a folder on this machine."""

    def __init__(self, trace_root_folder: str | Path, use_in_memory_cache: bool = False) -> None:
        super().__init__(trace_root_folder, use_in_memory_cache)
        self.trace_root_folder = trace_root_folder


class S3AlgorithmMetricsReader(AlgorithmMetricsReader):
    """The timeline below an S3 URI."""

    def __init__(self, s3_trial_path: str, use_in_memory_cache: bool = False) -> None:
        if not str(s3_trial_path).startswith("s3://"):
            raise InvalidInput(f"{s3_trial_path} is no S3 URI: it is written s3://bucket/prefix")
        super().__init__(s3_trial_path, use_in_memory_cache)


def _end_us(name: str) -> int | None:
    """The time in a file's name; None where it is none of a timeline."""
    first, *rest = PurePosixPath(name).name.split("_")
    return int(first) if first.isdigit() and rest and name.endswith(".json") else None


def _node(name: str) -> str:
    """The node and the process in a file's name: "algo-1-4711" of "..._4711-algo-1_...", so that nodes sort."""
    middle = PurePosixPath(name).name.split("_")[1]
    pid, dash, node = middle.partition("-")
    return f"{node}-{pid}" if dash and pid.isdigit() and node.startswith("algo") else middle


def _events_in(name: str, data: bytes) -> Iterator[TraceEvent]:
    found, _, _ = _reader.read(data)
    node, kind = _node(name), next((kind for end, kind in _TYPES.items() if name.endswith(end)), "")
    rows: dict[int | str, str] = {}
    zero_us = 0
    for record in found:
        args = record.args
        if record.ph == "M" and args:
            zero_us = args.get("start_time_since_epoch_in_micros", zero_us)
            if record.name == "process_name":
                rows[record.pid] = str(args.get("name", "Unknown"))
        elif record.ph == "X":
            yield TraceEvent(
                start_time=zero_us + record.ts,
                event_name=record.name,
                duration=record.dur,
                phase_pid=record.pid,
                phase_tid=record.tid,
                event_args=args,
                node_id=node,
                file_type=kind,
                event_phase=rows.get(record.pid, "Unknown"),
                pid=(args or {}).get("pid", record.pid),
                tid=(args or {}).get("thread_id", record.tid),
            )
