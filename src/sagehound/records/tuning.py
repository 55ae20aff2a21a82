"""Hyperparameter tuning jobs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from sagehound.records.record import Document, Record, Transitions
from sagehound.records.training import TrainingJob, TrainingSpec, TrainingStatus


class TuningStatus(StrEnum):
    """`Stopping` lasts until every running trial has stopped."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def ended(self) -> bool:
        return self not in (TuningStatus.IN_PROGRESS, TuningStatus.STOPPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRange:
    """`type` is Continuous, Integer or Categorical. `low` and `high` are the request's strings (empty for a
    categorical), `values` a categorical's; `scaling` is Auto, Linear, Logarithmic or ReverseLogarithmic."""

    name: str
    type: str
    low: str = ""
    high: str = ""
    scaling: str = "Auto"
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningSpec:
    """What to search. `strategy` is Bayesian, Random or Grid; `goal` Minimize or Maximize."""

    strategy: str
    metric: str
    goal: str
    ranges: tuple[ParameterRange, ...]
    max_jobs: int
    max_parallel: int
    seed: int | None = None
    max_runtime_s: int | None = None
    training: TrainingSpec
    #: The document that every trial's TrainingJob gets.
    training_document: Document = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningJob(Record):
    """A tuning job. Its trials are the training jobs whose `parent` is its name."""

    kind: ClassVar[str] = "hyper-parameter-tuning-job"
    transitions: ClassVar[Transitions] = {
        TuningStatus.IN_PROGRESS: frozenset(
            {TuningStatus.STOPPING, TuningStatus.COMPLETED, TuningStatus.FAILED, TuningStatus.STOPPED}
        ),
        TuningStatus.STOPPING: frozenset({TuningStatus.STOPPED, TuningStatus.COMPLETED, TuningStatus.FAILED}),
    }

    arn: str
    spec: TuningSpec
    document: Document
    status: TuningStatus = TuningStatus.IN_PROGRESS
    ended_at: float | None = None
    failure_reason: str = ""


class ObjectiveStatus(StrEnum):
    """What became of a trial's objective. `Failed`: the trial failed, or no line of its log held a finite value."""

    SUCCEEDED = "Succeeded"
    PENDING = "Pending"
    FAILED = "Failed"


def objective(job: TuningJob, trial: TrainingJob) -> float | None:
    """The final value of the objective metric of a trial that completed or was stopped; None where there is none yet,
    where the trial failed, and where the value is no finite number."""
    if trial.status not in (TrainingStatus.COMPLETED, TrainingStatus.STOPPED):
        return None
    values = [metric.value for metric in trial.metrics if metric.name == job.spec.metric]
    return values[-1] if values and math.isfinite(values[-1]) else None


def objective_status(job: TuningJob, trial: TrainingJob) -> ObjectiveStatus:
    """Whether the trial's objective is known, still to come, or never will be."""
    if not trial.status.ended:
        return ObjectiveStatus.PENDING
    return ObjectiveStatus.FAILED if objective(job, trial) is None else ObjectiveStatus.SUCCEEDED


def best_trial(job: TuningJob, trials: Iterable[TrainingJob]) -> TrainingJob | None:
    """The trial that completed with the best objective, of equals the first; None where none has completed with one.

    A stopped trial is never the best one: its script did not get to write its whole model.
    """
    sign = -1.0 if job.spec.goal == "Maximize" else 1.0
    completed = (trial for trial in trials if trial.status is TrainingStatus.COMPLETED)
    ranked = [(sign * value, trial.created_at, trial.name, trial) for trial in completed
              if (value := objective(job, trial)) is not None]  # fmt: skip
    return min(ranked, key=lambda entry: entry[:3])[3] if ranked else None
