"""Tuning jobs for tests, and a double of the training loop that ends their trials at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sagehound.records.record import Record
from sagehound.records.training import (
    Metric,
    MetricDefinition,
    SecondaryStatus,
    TrainingJob,
    TrainingSpec,
    TrainingStatus,
)
from sagehound.records.tuning import Definition, ParameterRange, TuningJob, TuningSpec
from sagehound.store.store import Query, Store, every

NOW = 1_800_000_000.0
LR = ParameterRange(name="lr", type="Continuous", low="0.001", high="0.1")
BATCH = ParameterRange(name="batch_size", type="Categorical", values=('"32"', '"64"', '"128"'))
EPOCHS = ParameterRange(name="epochs", type="Categorical", values=('"1"', '"2"'))
STATIC = {"sagemaker_program": '"hpo.py"', "sagemaker_container_log_level": "20", "_tuning_objective_metric": "loss"}

#: The objective of a trial; None where it prints none, an exception where it fails with that reason.
Script = Callable[[TrainingJob], float | None]


def tuning_job(name: str = "dogs", **spec: Any) -> TuningJob:
    training = TrainingSpec(
        output_uri="s3://bucket/",
        instance_type="ml.c5.2xlarge",
        hyperparameters=dict(STATIC),
        metrics=(MetricDefinition(name="loss", regex="loss: ([0-9.]+)"),),
    )
    definition: dict[str, Any] = {
        "metric": "loss",
        "ranges": (LR, BATCH, EPOCHS),
        "training": training,
        "training_document": {"RoleArn": "arn:aws:iam::000000000000:role/r"},
    }
    definition |= {key: spec.pop(key) for key in definition if key in spec}
    defaults: dict[str, Any] = {
        "strategy": "Bayesian",
        "goal": "Minimize",
        "definitions": (Definition(**definition),),
        "max_jobs": 4,
        "max_parallel": 2,
        "seed": 3,
    }
    return TuningJob(
        name=name,
        created_at=NOW,
        modified_at=NOW,
        arn=f"arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/{name}",
        spec=TuningSpec(**(defaults | spec)),
        document={},
    )


def difficulty(trial: TrainingJob) -> float | None:
    """A made-up loss: best at a learning rate of 0.02 and a batch of 64."""
    lr, batch = float(trial.tuned.get("lr", "0.01")), int(trial.tuned["batch_size"].strip('"'))
    return abs(lr - 0.02) * 10 + abs(batch - 64) / 64


def trials(store: Store, parent: str = "dogs") -> list[TrainingJob]:
    return sorted(every(store, TrainingJob, Query(group=parent, limit=1000)), key=lambda trial: trial.name)


def complete(store: Store, name: str, script: Script = difficulty, now: float = NOW) -> TrainingJob:
    """End a training job as the training loop would: completed with its metric, stopped where that was asked, or
    failed with what `script` raised."""

    def change(job: TrainingJob) -> TrainingJob:
        if job.status.ended:
            return job
        stopped = job.status is TrainingStatus.STOPPING
        try:
            value = None if stopped else script(job)
        except RuntimeError as error:
            failed = job.enter(SecondaryStatus.FAILED, now)
            return failed.evolve(status=TrainingStatus.FAILED, failure_reason=str(error), ended_at=now)
        metrics = () if value is None else (Metric(name="loss", value=value, at=now),)
        ended = job.enter(SecondaryStatus.STOPPED if stopped else SecondaryStatus.COMPLETED, now)
        status = TrainingStatus.STOPPED if stopped else TrainingStatus.COMPLETED
        return ended.evolve(status=status, metrics=metrics, ended_at=now)

    return store.update(TrainingJob, name, change)


def train_at_once(store: Store, script: Script = difficulty) -> None:
    """From now on every trial ends as soon as it is made, in the thread that made it."""

    def noticed(record: Record) -> None:
        if isinstance(record, TrainingJob) and not record.status.ended:
            complete(store, record.name, script)

    store.watch(noticed)
