"""A tuning job and its trials, as its page shows them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sagehound.tuning.space import Range


class Outcome(StrEnum):
    """What became of a trial. `No objective`: it ended well, and nothing in its log gave the objective a value."""

    COMPLETED = "completed"
    STOPPED_EARLY = "stopped early"
    STOPPED = "stopped"
    FAILED = "failed"
    WITHOUT = "no objective"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Point:
    """A value of the objective that a trial reported, and when (seconds since the epoch)."""

    at_s: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyTrial:
    """Trial `number` (from 1) with its `values` as text; `status` is SageMaker's. `curve` holds what it reported of the
    objective in order, mostly a value an epoch. `stopped_because` says why it was stopped early, and is empty for any
    other. `metrics` are the last values of all that it reported, `notes` what its user should know besides. Times are
    seconds since the epoch."""

    number: int
    name: str
    values: Mapping[str, str]
    status: str
    created_s: float
    started_s: float | None = None
    ended_s: float | None = None
    objective: float | None = None
    curve: tuple[Point, ...] = ()
    failure: str = ""
    stopped_because: str = ""
    definition: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        if self.status == "Failed":
            return Outcome.FAILED
        if self.status == "Stopped":
            return Outcome.STOPPED_EARLY if self.stopped_because else Outcome.STOPPED
        if self.status != "Completed":
            return Outcome.RUNNING
        return Outcome.WITHOUT if self.objective is None else Outcome.COMPLETED

    @property
    def seconds(self) -> float | None:
        """How long its script ran; None while it runs, and where it never started."""
        if self.started_s is None or self.ended_s is None:
            return None
        return max(self.ended_s - self.started_s, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The tuning job `name` as it was read at `read_s`; `ended_s` is None while it runs. `best_name` is the trial that
    the service calls the best one. `resource` are Hyperband's smallest and greatest number of epochs. `command` is what
    trains the best configuration in a shell, `sdk` in Python; both are empty where there is no best one.
    `passed_over_command` trains that of the stopped trial that is better, where there is one. `notes` are what its user
    should know and no status says."""

    name: str
    status: str
    metric: str
    maximize: bool
    ranges: tuple[Range, ...]
    trials: tuple[StudyTrial, ...]
    created_s: float
    read_s: float
    ended_s: float | None = None
    best_name: str = ""
    strategy: str = "Bayesian"
    early_stopping: bool = False
    resource: tuple[int, int] | None = None
    max_trials: int | None = None
    max_parallel: int = 1
    instance_type: str = ""
    instances: int = 1
    static: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""
    command: str = ""
    sdk: str = ""
    passed_over_command: str = ""
    parents: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.status in ("InProgress", "Stopping")

    @property
    def best(self) -> StudyTrial | None:
        """The best trial; None where none has completed with an objective."""
        return next((trial for trial in self.trials if trial.name == self.best_name), None)

    @property
    def measured(self) -> tuple[StudyTrial, ...]:
        """The trials with an objective that can be drawn."""
        return tuple(each for each in self.trials if each.objective is not None and math.isfinite(each.objective))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Its own notes, then its trials': of those that differ in trials' names and numbers alone, the first."""
        each = [(note, note) for note in self.notes]
        each += [(note, f"Trial {trial.number}: {note}") for trial in self.trials for note in trial.notes]
        found: dict[str, str] = {}
        for note, told in each:
            alike = re.sub(rf"{re.escape(self.name)}-\w+-\w+|\d+(\.\d+)?", "#", note)
            found.setdefault(alike, told)
        return tuple(found.values())

    @property
    def length_s(self) -> float:
        """From its creation to its end, or until it was read."""
        return max((self.ended_s if self.ended_s is not None else self.read_s) - self.created_s, 0.0)

    def better(self, one: float, other: float) -> bool:
        """Whether an objective is better than another."""
        return one > other if self.maximize else one < other

    def of(self, *outcomes: Outcome) -> tuple[StudyTrial, ...]:
        """The trials of which that became."""
        return tuple(trial for trial in self.trials if trial.outcome in outcomes)

    def ranked(self) -> list[StudyTrial]:
        """The trials with an objective, the best one first; of equals the earlier one."""
        sign = -1.0 if self.maximize else 1.0
        return sorted(self.measured, key=lambda each: (sign * (each.objective or 0.0), each.number))

    def best_so_far(self, trials: tuple[StudyTrial, ...]) -> Iterator[tuple[StudyTrial, float]]:
        """Each completed one of `trials`, in their order, with the best objective up to it. One that was stopped has
        no whole model; only where the service says so all the same does it count."""
        best: float | None = None
        for trial in trials:
            value = trial.objective
            if value is None or (trial.outcome is not Outcome.COMPLETED and trial.name != self.best_name):
                continue
            best = value if best is None or self.better(value, best) else best
            yield trial, best


def shown(value: str) -> str:
    """A value without the quotes that the SageMaker SDK puts around a category.

    >>> shown('"32"'), shown("0.01"), shown('"')
    ('32', '0.01', '"')
    """
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def short(value: str) -> str:
    """A value with three or four digits, for a table or a chart.

    >>> short("0.0123456789"), short('"32"'), short("1e-05"), short("adam")
    ('0.01235', '32', '1e-05', 'adam')
    """
    try:
        number = float(shown(value))
    except ValueError:
        return shown(value)
    return f"{number:.4g}" if math.isfinite(number) and number % 1 else shown(value)
