"""The stretch of a training in which something more is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagehound.errors import InvalidInput

_STEPS = ("startstep", "numsteps")
_TIME = ("starttimeinsecsinceepoch", "durationinseconds", "duration")


@dataclass(frozen=True)
class Window:
    """`steps` steps from `start_step` on, counted from 0 in all modes together; or, where `start_s` is given, from that
    time (seconds since the epoch; 0: from the first step) until `duration_s` are over, or one step where that is None.
    None as `start_step`: the next step."""

    start_step: int | None = 0
    steps: int = 1
    start_s: float | None = None
    duration_s: float | None = None

    def begins(self, step: int, now_s: float) -> bool:
        """Whether it is to be switched on at this step."""
        if self.start_s is not None:
            return now_s >= self.start_s and not self.over(step, step, now_s, self.start_s or now_s)
        first = step if self.start_step is None else self.start_step
        return first <= step < first + self.steps

    def over(self, step: int, first: int, now_s: float, began_s: float) -> bool:
        """Whether it is to be switched off before this step; it was switched on at `first`."""
        if self.start_s is None:
            return step >= (first if self.start_step is None else self.start_step) + self.steps
        if self.duration_s is None:
            return step > first
        return now_s >= (self.start_s or began_s) + self.duration_s

    def after(self, step: int) -> Window:
        """The same, begun after that step; one of a time keeps its end."""
        return self if self.start_s is not None else replace(self, start_step=step + 1)

    def from_now(self) -> Window:
        """The same from the next step on, where it was to begin with the first."""
        return replace(self, start_step=None) if self.start_step == 0 else self

    @classmethod
    def from_fields(cls, name: str, fields: Mapping[str, Any]) -> Window | None:
        """The window that StartStep, NumSteps or StartTimeInSecSinceEpoch, DurationInSeconds name (keys in lower case,
        values also as text); None where there is none of them. InvalidInput names the field."""
        steps = {key: fields[key] for key in _STEPS if fields.get(key) not in (None, "")}
        time = {key: fields[key] for key in _TIME if fields.get(key) not in (None, "")}
        if steps and time:
            raise InvalidInput(
                f"{name} has steps (StartStep, NumSteps) and a time (StartTimeInSecSinceEpoch, DurationInSeconds): "
                "give one of them"
            )
        if steps:
            start = _number(name, "StartStep", steps["startstep"], 0, whole=True) if "startstep" in steps else None
            count = _number(name, "NumSteps", steps.get("numsteps", 1), 1, whole=True)
            return cls(start_step=None if start is None else int(start), steps=int(count))
        if time:
            start_s = _number(name, "StartTimeInSecSinceEpoch", time.get("starttimeinsecsinceepoch", 0), 0)
            duration = time.get("durationinseconds", time.get("duration"))
            duration_s = None if duration is None else _number(name, "DurationInSeconds", duration, 0)
            if duration_s == 0:
                raise InvalidInput(f"{name}: DurationInSeconds is 0: a number greater than 0 is expected")
            return cls(start_step=None, start_s=start_s, duration_s=duration_s)
        return None


def _number(name: str, field: str, value: object, least: float, whole: bool = False) -> float:
    kind = "a whole number" if whole else "a number"
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise InvalidInput(f"{name}: {field} is {value!r}: {kind} of at least {least:g} is expected") from None
    if not least <= number < 1e18 or (whole and number != int(number)) or isinstance(value, bool):
        raise InvalidInput(f"{name}: {field} is {value!r}: {kind} of at least {least:g} is expected")
    return number
