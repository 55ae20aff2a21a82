"""Tuning jobs: what their trials' objectives are, and which is best."""

import math

import pytest

from sagehound.records.training import Metric, TrainingJob, TrainingSpec, TrainingStatus
from sagehound.records.tuning import (
    Definition,
    ObjectiveStatus,
    TuningJob,
    TuningSpec,
    TuningStatus,
    best_trial,
    objective,
    objective_status,
)

SPEC = TrainingSpec(output_uri="s3://bucket/", instance_type="ml.m5.large")


def tuning(goal: str = "Minimize") -> TuningJob:
    definition = Definition(metric="loss", ranges=(), training=SPEC)
    spec = TuningSpec(strategy="Random", goal=goal, definitions=(definition,), max_jobs=9, max_parallel=1)
    return TuningJob(name="dogs", created_at=0.0, modified_at=0.0, arn="arn", spec=spec, document={})


def trial(name: str, *values: float, status: TrainingStatus = TrainingStatus.COMPLETED) -> TrainingJob:
    return TrainingJob(
        name=name,
        created_at=float(name),
        modified_at=0.0,
        arn="arn",
        spec=SPEC,
        document={},
        status=status,
        metrics=(Metric(name="accuracy", value=0.5, at=0.0), *(Metric(name="loss", value=v, at=0.0) for v in values)),
    )


@pytest.mark.parametrize(
    ("record", "value", "status"),
    [
        (trial("1", 0.25), 0.25, ObjectiveStatus.SUCCEEDED),
        (trial("1"), None, ObjectiveStatus.FAILED),
        (trial("1", math.nan), None, ObjectiveStatus.FAILED),
        (trial("1", 0.25, status=TrainingStatus.FAILED), None, ObjectiveStatus.FAILED),
        (trial("1", 0.25, status=TrainingStatus.STOPPED), 0.25, ObjectiveStatus.SUCCEEDED),
        (trial("1", 0.25, status=TrainingStatus.IN_PROGRESS), None, ObjectiveStatus.PENDING),
        (trial("1", 0.25, status=TrainingStatus.STOPPING), None, ObjectiveStatus.PENDING),
    ],
)
def test_the_objective_is_the_final_value_of_a_trial_that_ended(record, value, status):
    assert objective(tuning(), record) == value
    assert objective_status(tuning(), record) is status


def test_the_best_trial_is_of_the_completed_ones_by_the_goal():
    ran = [
        trial("1", 0.4),
        trial("2", 0.2),
        trial("3", 0.2),
        trial("4", 0.1, status=TrainingStatus.STOPPED),
        trial("5", 0.9, status=TrainingStatus.FAILED),
        trial("6"),
    ]
    assert best_trial(tuning("Minimize"), ran) is ran[1]
    assert best_trial(tuning("Maximize"), ran) is ran[0]
    assert best_trial(tuning(), ran[3:]) is None


def test_a_stopping_job_may_end_in_every_way_and_an_ended_one_in_none():
    stopping = tuning().evolve(status=TuningStatus.STOPPING)
    for status in (TuningStatus.STOPPED, TuningStatus.COMPLETED, TuningStatus.FAILED):
        assert stopping.evolve(status=status).status.ended
    assert not stopping.status.ended
