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
class Definition:
    """One kind of trial: what it runs, what is searched in it, and the metric by which it is judged. `name` is empty
    where the request gave none; `training_document` is what the TrainingJob of each of its trials gets."""

    name: str = ""
    metric: str
    ranges: tuple[ParameterRange, ...]
    training: TrainingSpec
    training_document: Document = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """When there is no need to go on: an objective as good as `target`, so many trials in a row that did not improve
    the best one, convergence. None and False: not looked at."""

    target: float | None = None
    most_not_improving: int | None = None
    on_convergence: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningSpec:
    """What to search. `strategy` is Bayesian, Random, Grid or Hyperband; `goal` Minimize or Maximize. Several
    `definitions` take turns. `least_resource` and `most_resource` are Hyperband's, in epochs; 0 for the others.
    `parents` are the tuning jobs of a warm start, whose results count as this one's too where `same_task`."""

    strategy: str
    goal: str
    definitions: tuple[Definition, ...]
    max_jobs: int
    max_parallel: int
    seed: int | None = None
    max_runtime_s: int | None = None
    early_stopping: bool = False
    least_resource: int = 0
    most_resource: int = 0
    criteria: Criteria = Criteria()
    parents: tuple[str, ...] = ()
    same_task: bool = False

    @property
    def judges_while_training(self) -> bool:
        """Whether the objectives that a trial prints on its way decide if it goes on."""
        return self.early_stopping or self.most_resource > 0

    @property
    def training(self) -> TrainingSpec:
        """What the trials of the first definition run."""
        return self.definitions[0].training

    def definition(self, name: str) -> Definition:
        """The definition called `name`; the first one for a name that there is not."""
        return next((each for each in self.definitions if each.name == name), self.definitions[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningJob(Record):
    """A tuning job. Its trials are the training jobs whose `parent` is its name.

    `complete_because` is the criterion that is met: no trial is made any more. `notes` are what its user should know
    and no status says, e.g. that no line of a log gave the objective.
    """

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
    complete_because: str = ""
    converged_at: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def maximizes(self) -> bool:
        return self.spec.goal == "Maximize"


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
    name = job.spec.definition(trial.definition).metric
    values = [metric.value for metric in trial.metrics if metric.name == name]
    return values[-1] if values and math.isfinite(values[-1]) else None


def objective_status(job: TuningJob, trial: TrainingJob) -> ObjectiveStatus:
    """Whether the trial's objective is known, still to come, or never will be."""
    if not trial.status.ended:
        return ObjectiveStatus.PENDING
    return ObjectiveStatus.FAILED if objective(job, trial) is None else ObjectiveStatus.SUCCEEDED


def best_trial(job: TuningJob, trials: Iterable[TrainingJob]) -> TrainingJob | None:
    """The trial that came to the best objective, of equals the first; None where none has come to one.

    A trial that was stopped is never the best one, for its script did not get to write its whole model; but for one
    that had trained as long as its strategy lets it, and had written a model by then.
    """
    sign = -1.0 if job.maximizes else 1.0
    ranked = [(sign * value, trial.created_at, trial.name, trial) for trial in trials
              if _is_a_result(trial) and (value := objective(job, trial)) is not None]  # fmt: skip
    return min(ranked, key=lambda entry: entry[:3])[3] if ranked else None


def _is_a_result(trial: TrainingJob) -> bool:
    finished = trial.status is TrainingStatus.STOPPED and trial.finished and bool(trial.artifacts_uri)
    return trial.status is TrainingStatus.COMPLETED or finished
