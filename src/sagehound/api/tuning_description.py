"""A tuning job and its trials as Describe and the lists show them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sagehound.api.context import Context
from sagehound.api.training_description import reason
from sagehound.records.training import TrainingJob, TrainingStatus
from sagehound.records.tuning import ObjectiveStatus, TuningJob, best_trial, objective, objective_status
from sagehound.store.store import Query, every


def trials(job: TuningJob, context: Context) -> list[TrainingJob]:
    """The training jobs of `job`, in the order in which they were made."""
    return every(context.store, TrainingJob, Query(group=job.name, limit=1000))


def description(job: TuningJob, context: Context) -> dict[str, Any]:
    """DescribeHyperParameterTuningJob's answer."""
    own = trials(job, context)
    best = best_trial(job, own)
    ended_at = job.ended_at if job.status.ended else None
    return {
        **job.document,
        **_shared(job, own),
        "FailureReason": reason(job.failure_reason),
        "BestTrainingJob": trial_summary(best, job) if best else None,
        "ConsumedResources": {"RuntimeInSeconds": max(0, round((ended_at or context.clock()) - job.created_at))},
    }


def summary(job: TuningJob, context: Context) -> dict[str, Any]:
    """One item of ListHyperParameterTuningJobs."""
    config = job.document["HyperParameterTuningJobConfig"]
    return {
        **_shared(job, trials(job, context)),
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
    }


def trial_summary(trial: TrainingJob, job: TuningJob) -> dict[str, Any]:
    """One trial, as in BestTrainingJob and ListTrainingJobsForHyperParameterTuningJob."""
    value = objective(job, trial)
    return {
        "TrainingJobDefinitionName": job.document["TrainingJobDefinition"].get("DefinitionName"),
        "TrainingJobName": trial.name,
        "TrainingJobArn": trial.arn,
        "TuningJobName": job.name,
        "CreationTime": trial.created_at,
        "TrainingStartTime": trial.started_at,
        "TrainingEndTime": trial.ended_at,
        "TrainingJobStatus": trial.status,
        "TunedHyperParameters": trial.tuned,
        "FailureReason": reason(trial.failure_reason),
        "ObjectiveStatus": objective_status(job, trial),
        "FinalHyperParameterTuningJobObjectiveMetric": None
        if value is None
        else {"Type": job.spec.goal, "MetricName": job.spec.metric, "Value": value},
    }


def _shared(job: TuningJob, own: list[TrainingJob]) -> dict[str, Any]:
    """What Describe and the list both show."""
    statuses = Counter(trial.status for trial in own)
    objectives = Counter(objective_status(job, trial) for trial in own)
    return {
        "HyperParameterTuningJobName": job.name,
        "HyperParameterTuningJobArn": job.arn,
        "HyperParameterTuningJobStatus": job.status,
        "CreationTime": job.created_at,
        "LastModifiedTime": job.modified_at,
        "HyperParameterTuningEndTime": job.ended_at,
        "TrainingJobStatusCounters": {
            "Completed": statuses[TrainingStatus.COMPLETED],
            "InProgress": statuses[TrainingStatus.IN_PROGRESS] + statuses[TrainingStatus.STOPPING],
            "RetryableError": 0,
            "NonRetryableError": statuses[TrainingStatus.FAILED],
            "Stopped": statuses[TrainingStatus.STOPPED],
        },
        "ObjectiveStatusCounters": {status: objectives[status] for status in ObjectiveStatus},
    }
