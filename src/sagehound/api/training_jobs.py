"""Training jobs: create, describe, update, stop, list."""

from __future__ import annotations

from typing import Any

from sagehound.api import resources, support
from sagehound.api.context import Context
from sagehound.api.debugging import with_debugging
from sagehound.api.lists import Listing
from sagehound.api.profiling import updated
from sagehound.api.training_description import description, summary
from sagehound.api.training_spec import training_document, training_spec
from sagehound.errors import AlreadyExists, InvalidInput
from sagehound.records.training import SecondaryStatus, TrainingJob, TrainingStatus

_LISTING = Listing("TrainingJobSummaries")
_PENDING = "Waiting for a free slot on this machine"

#: AWS's words, and its code: this is no ResourceNotFound there either.
_MISSING = InvalidInput("Requested resource not found.")


def create(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """CreateTrainingJob: the record of a job that the training loop takes up; nothing is waited for."""
    support.check("CreateTrainingJob", request)
    job = _record(request, context)
    taken = AlreadyExists(
        "Training job names must be unique within an AWS account and region, "
        f"and a training job with this name already exists ({job.arn})"
    )
    resources.add(context, job, job.arn, request, taken)
    return {"TrainingJobArn": job.arn}


def describe(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """DescribeTrainingJob."""
    return description(resources.find(context, TrainingJob, request["TrainingJobName"], _MISSING), context)


def stop(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """StopTrainingJob: asks the training loop to stop it; refused where the job has ended."""
    name = request["TrainingJobName"]
    resources.find(context, TrainingJob, name, _MISSING)
    context.store.update(TrainingJob, name, lambda job: _stopping(job, context.clock()))
    return {}


def update(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """UpdateTrainingJob: the profiler's settings of a job that runs, and further rules for it."""
    support.check("UpdateTrainingJob", request)
    name = request["TrainingJobName"]
    resources.find(context, TrainingJob, name, _MISSING)
    job = context.store.update(TrainingJob, name, lambda job: _updated(job, request, context.clock()))
    return {"TrainingJobArn": job.arn}


def list_of(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """ListTrainingJobs. No job here has a warm pool or a training plan: a filter by them finds none."""
    if "WarmPoolStatusEquals" in request or "TrainingPlanArnEquals" in request:
        return {_LISTING.member: []}
    return _LISTING.respond(request, context, TrainingJob, summary)


def _record(request: dict[str, Any], context: Context) -> TrainingJob:
    name, now = request["TrainingJobName"], context.clock()
    request = with_debugging(request)
    job = TrainingJob(
        name=name,
        created_at=now,
        modified_at=now,
        arn=context.arn(TrainingJob.kind, name),
        spec=training_spec(request),
        document=training_document(request),
    )
    return job.enter(SecondaryStatus.PENDING, now, _PENDING)


def _updated(job: TrainingJob, request: dict[str, Any], now: float) -> TrainingJob:
    if job.status is not TrainingStatus.IN_PROGRESS:
        raise InvalidInput(f"The request was rejected because the training job is in status {job.status}.")
    if not request.get("ProfilerConfig") and not request.get("ProfilerRuleConfigurations"):
        raise InvalidInput("nothing to update: send ProfilerConfig, or ProfilerRuleConfigurations to be added")
    return updated(job, request).evolve(modified_at=now)


def _stopping(job: TrainingJob, now: float) -> TrainingJob:
    if job.status.ended:
        raise InvalidInput(f"The request was rejected because the training job is in status {job.status}.")
    return job.asked_to_stop(now)
