"""One sample of a machine, as notebooks are given it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProfilerSystemEvent:
    """`type` is "cpu", "gpu" ..., `name` the core or device, `value` in percent unless `dimension` names a unit;
    `timestamp` in seconds since the epoch."""

    type: str
    name: str
    dimension: str
    value: float
    node_id: str
    timestamp: float
