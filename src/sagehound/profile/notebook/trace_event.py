"""One event of a timeline, as notebooks are given it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """Times are in microseconds since the epoch, durations in microseconds. `event_phase` is the name of the row that
    the event stands in ("Step:ModeKeys.TRAIN", "Forward"), `event_args` what its record says beside ("step_num")."""

    start_time: float
    event_name: str
    duration: float
    phase_pid: int | str
    phase_tid: int | str
    event_args: Mapping[str, Any] | None
    node_id: str
    phase: str = "X"
    file_type: str = ""
    event_phase: str = ""
    pid: int | str = 0
    tid: int | str = 0
    process_info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def end_time(self) -> float:
        """When it ended."""
        return self.start_time + self.duration

    @property
    def step(self) -> int:
        """The step it belongs to; -1 where that is not known."""
        step = (self.event_args or {}).get("step_num", -1)
        return int(step) if str(step).lstrip("-").isdigit() else -1

    @property
    def shown_name(self) -> str:
        """The layer's name, or the one in its arguments, or its own."""
        args = self.event_args or {}
        return str(args.get("layer_name") or args.get("name") or self.event_name)
