"""A tuning job and its trials as Describe and the lists show them."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

from sagehound.api.context import NOTES, Context
from sagehound.api.training_description import reason
from sagehound.errors import NotFound
from sagehound.names import trial_number
from sagehound.records.training import TrainingJob, TrainingStatus
from sagehound.records.tuning import ObjectiveStatus, TuningJob, best_trial, objective, objective_status
from sagehound.store.store import Query, every
from sagehound.tuning.completion import Completion
from sagehound.tuning.trial import Trial


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
        **_notes(job),
        "FailureReason": reason(job.failure_reason),
        "BestTrainingJob": trial_summary(best, job) if best else None,
        "OverallBestTrainingJob": _overall_best(job, best, context),
        "TuningJobCompletionDetails": {
            "NumberOfTrainingJobsObjectiveNotImproving": _not_improving(job, own),
            "ConvergenceDetectedTime": job.converged_at,
        },
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
        "TrainingJobDefinitionName": trial.definition or None,
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
        else {"Type": job.spec.goal, "MetricName": job.spec.definition(trial.definition).metric, "Value": value},
    }


def _shared(job: TuningJob, own: list[TrainingJob]) -> dict[str, Any]:
    """What Describe and the list both show."""
    statuses = Counter(trial.status for trial in own)
    objectives = Counter(objective_status(job, trial) for trial in own)
    internal = sum(trial.failed_internally for trial in own)
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
            "RetryableError": internal,
            "NonRetryableError": statuses[TrainingStatus.FAILED] - internal,
            "Stopped": statuses[TrainingStatus.STOPPED],
        },
        "ObjectiveStatusCounters": {status: objectives[status] for status in ObjectiveStatus},
    }


def _notes(job: TuningJob) -> dict[str, Any]:
    met = (f"No more trials are made: {job.complete_because}",) if job.complete_because else ()
    return {NOTES: met + job.notes} if met or job.notes else {}


def _overall_best(job: TuningJob, best: TrainingJob | None, context: Context) -> dict[str, Any] | None:
    """The best of this job's trials and its parents', where they had the same task; as AWS has it, None elsewhere."""
    if not job.spec.same_task:
        return None
    found = [(job, best)] if best else []
    for name in job.spec.parents:
        with contextlib.suppress(NotFound):
            parent = context.store.get(TuningJob, name)
            best_there = best_trial(parent, trials(parent, context))
            found += [(parent, best_there)] if best_there else []
    if not found:
        return None
    its_job, trial = min(found, key=lambda pair: (_rank(*pair), pair[1].created_at))
    return trial_summary(trial, its_job)


def _rank(job: TuningJob, trial: TrainingJob) -> float:
    value = objective(job, trial)
    assert value is not None
    return -value if job.maximizes else value


def _not_improving(job: TuningJob, own: list[TrainingJob]) -> int:
    results = (Trial(number=trial_number(t.name), values=t.tuned, objective=objective(job, t)) for t in own)
    return Completion(maximize=job.maximizes).not_improving(results)
