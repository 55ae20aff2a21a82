"""A training job as Describe and the lists show it."""

from __future__ import annotations

import math
from typing import Any

from sagehound.api.context import NOTES, Context
from sagehound.api.profiling import status
from sagehound.api.rule_statuses import rule_statuses
from sagehound.jobs import metrics
from sagehound.records.training import Metric, TrainingJob, Transition
from sagehound.records.tuning import TuningJob

_LONGEST_REASON = 1024


def description(job: TrainingJob, context: Context) -> dict[str, Any]:
    """DescribeTrainingJob's answer."""
    return {
        **job.document,
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "TuningJobArn": context.arn(TuningJob.kind, job.parent) if job.parent else None,
        "HyperParameters": job.spec.hyperparameters,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary,
        "SecondaryStatusTransitions": [_transition(stretch) for stretch in job.history],
        "FailureReason": reason(job.failure_reason),
        "ModelArtifacts": {"S3ModelArtifacts": job.artifacts_uri},
        "FinalMetricDataList": [_metric(metric) for metric in _last_metrics(job, context)] or None,
        "CreationTime": job.created_at,
        "LastModifiedTime": job.modified_at,
        "ProfilingStatus": status(job.spec),
        **rule_statuses(job, context),
        **_times(job),
        **({NOTES: job.remarks} if job.remarks else {}),
    }


def summary(job: TrainingJob) -> dict[str, Any]:
    """One item of ListTrainingJobs."""
    return {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "CreationTime": job.created_at,
        "TrainingEndTime": job.ended_at,
        "LastModifiedTime": job.modified_at,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary,
    }


def reason(text: str) -> str | None:
    """A FailureReason in the length that AWS allows, its end kept: that is where the exception is."""
    return f"...{text[3 - _LONGEST_REASON :]}" if len(text) > _LONGEST_REASON else text or None


def _times(job: TrainingJob) -> dict[str, Any]:
    if job.started_at is None:
        return {"TrainingEndTime": job.ended_at}
    if job.ended_at is None:
        return {"TrainingStartTime": job.started_at}
    took_s = max(1, math.ceil(job.ended_at - job.started_at))
    return {
        "TrainingStartTime": job.started_at,
        "TrainingEndTime": job.ended_at,
        "TrainingTimeInSeconds": took_s,
        "BillableTimeInSeconds": took_s,
    }


def _last_metrics(job: TrainingJob, context: Context) -> tuple[Metric, ...]:
    if job.status.ended or not job.spec.metrics:
        return job.metrics
    return metrics.final(context.settings.jobs_folder / job.name)


def _metric(metric: Metric) -> dict[str, Any]:
    return {"MetricName": metric.name, "Value": metric.value, "Timestamp": metric.at}


def _transition(stretch: Transition) -> dict[str, Any]:
    return {
        "Status": stretch.status,
        "StartTime": stretch.started_at,
        "EndTime": stretch.ended_at,
        "StatusMessage": stretch.message,
    }
