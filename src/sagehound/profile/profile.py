"""All that is known of one job's course through time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from sagehound.profile.tables import CURVES, OPERATORS, SYSTEM, TIMELINE


@dataclass(frozen=True, kw_only=True)
class JobFacts:
    """What the service knows of the job. Times are seconds since the epoch; None where it has not come to that.

    `threads` is what each host's script may use, `cores` what the machine has. `interval_ms` is the sampler's.
    `facts` are settings of the training as the timeline's writer saw them: "loader_workers", "batch_size",
    "loader_pin_memory", "torch_threads", "autocast", "memory_format", "compiled", "torch", "device"; absent where
    not known.
    """

    name: str
    status: str = ""
    instance_type: str = ""
    hosts: tuple[str, ...] = ("algo-1",)
    created_s: float | None = None
    started_s: float | None = None
    ended_s: float | None = None
    cores: int = 0
    threads: int = 0
    gpus: int = 0
    memory_bytes: int = 0
    interval_ms: int = 500
    facts: Mapping[str, str | float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A job and its tables (tables.py has their columns), each sorted by time; empty where nothing was recorded.
    `traces` are its Chrome traces, relative to where the profile lies."""

    job: JobFacts
    system: pa.Table = field(default_factory=SYSTEM.empty_table)
    timeline: pa.Table = field(default_factory=TIMELINE.empty_table)
    operators: pa.Table = field(default_factory=OPERATORS.empty_table)
    curves: pa.Table = field(default_factory=CURVES.empty_table)
    traces: tuple[str, ...] = ()
