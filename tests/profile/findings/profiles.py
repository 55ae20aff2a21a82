"""Profiles made by hand: a few samples, steps and operators, just so many as a rule needs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sagehound.profile.profile import JobFacts, Profile
from sagehound.profile.tables import OPERATORS, SYSTEM, TIMELINE

START = 1_700_000_000.0


def samples(courses: Mapping[tuple[str, str], Sequence[float]], every_s: float = 0.5, node: str = "algo-1") -> pa.Table:
    """Courses by dimension and name, one value every so many seconds."""
    rows: list[dict[str, Any]] = [
        {"timestamp_s": START + place * every_s, "node": node, "dimension": dimension, "name": name, "value": value}
        for (dimension, name), values in courses.items()
        for place, value in enumerate(values)
    ]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["timestamp_s"]), schema=SYSTEM)


def steps(durations: Iterable[float], start_s: float = START, **phases: Iterable[float]) -> pa.Table:
    """Training steps one after the other, each with so many seconds of each phase from its beginning on."""
    return timeline([("TRAIN", each) for each in durations], start_s, 1, **phases)


def timeline(
    parts: Sequence[tuple[str, float]], start_s: float = START, pid: int = 1, **phases: Iterable[float]
) -> pa.Table:
    """Steps of modes and durations."""
    rows: list[dict[str, Any]] = []
    courses = {name: list(values) for name, values in phases.items()}
    at_s, counts = start_s, {"TRAIN": 0, "EVAL": 0}
    for place, (mode, duration) in enumerate(parts):
        same = {"node": "algo-1", "pid": pid, "mode": mode, "step": counts[mode]}
        rows.append({**same, "category": "step", "name": "step", "start_s": at_s, "duration_s": duration})
        inside_s = at_s
        for name, values in courses.items():
            rows.append({**same, "category": "phase", "name": name, "start_s": inside_s, "duration_s": values[place]})
            inside_s += values[place]
        counts[mode] += 1
        at_s += duration
    return pa.Table.from_pylist(rows, schema=TIMELINE)


def operators(seen: Mapping[str, tuple[int, float]], device: str = "cpu") -> pa.Table:
    """Operators by name: how many calls, and seconds of their own in all."""
    rows = [
        {"node": "algo-1", "name": n, "device": device, "calls": c, "self_s": s, "total_s": s, "stack": ""}
        for n, (c, s) in seen.items()
    ]
    return pa.Table.from_pylist(rows, schema=OPERATORS)


def profile(
    system: pa.Table | None = None, timeline: pa.Table | None = None, operators: pa.Table | None = None, **job: Any
) -> Profile:
    given = {"system": system, "timeline": timeline, "operators": operators}
    facts = JobFacts(**{"name": "job", "cores": 2, "threads": 2, **job})
    return Profile(job=facts, **{name: table for name, table in given.items() if table is not None})
