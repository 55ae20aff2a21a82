"""The metrics that a job printed: `metrics.jsonl` in its folder, one `{"name", "value", "at"}` a line."""

from __future__ import annotations

import json
from pathlib import Path

from sagehound.records.training import Metric

METRICS_FILE = "metrics.jsonl"


def datapoints(folder: Path, name: str = "") -> list[Metric]:
    """Every value printed so far, in order; those of `name` alone where one is given. `at` is in epoch seconds."""
    try:
        raw = (folder / METRICS_FILE).read_bytes()
    except FileNotFoundError:
        return []
    whole = raw[: raw.rfind(b"\n") + 1]
    points = [Metric(**json.loads(line)) for line in whole.splitlines()]
    return [point for point in points if not name or point.name == name]


def final(folder: Path) -> tuple[Metric, ...]:
    """The last value of each metric, in the order in which they first appeared."""
    return tuple({point.name: point for point in datapoints(folder)}.values())
