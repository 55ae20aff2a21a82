"""Hyperparameter tuning jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from sagehound.records.record import Document, Record, Transitions
from sagehound.records.training import TrainingSpec


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
