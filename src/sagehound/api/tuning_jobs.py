"""Hyperparameter tuning jobs: create, describe, stop, delete, list, and the list of their trials."""

from __future__ import annotations

from typing import Any

from sagehound.api import resources, support
from sagehound.api.autotune import autotuned
from sagehound.api.context import Context
from sagehound.api.lists import DEFAULT_RESULTS, Listing, cursor, token
from sagehound.api.tuning_description import description, summary, trial_summary, trials
from sagehound.api.tuning_spec import tuning_document, tuning_spec
from sagehound.api.warm_start import check_parents, with_parents_metrics
from sagehound.errors import AlreadyExists, InvalidInput, NotFound
from sagehound.records.training import TrainingJob
from sagehound.records.tuning import TuningJob, TuningStatus, objective
from sagehound.store.store import Query

_LISTING = Listing("HyperParameterTuningJobSummaries", sort="Name")
_TRIALS = Listing("TrainingJobSummaries", sort="Name")


def create(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """CreateHyperParameterTuningJob: the record of a job that the tuning loop takes up; nothing is waited for."""
    support.check("CreateHyperParameterTuningJob", request)
    job = _record(autotuned(with_parents_metrics(request, context)), context)
    check_parents(job.spec, context)
    taken = AlreadyExists(
        f"A hyperparameter tuning job with the name, {job.name}, already exists. Choose a different name. "
        "(The SDK names tuning jobs by the minute; fit(job_name=...) gives another name at once.)"
    )
    _check_trials_are_gone(job.name, context)
    resources.add(context, job, job.arn, request, taken)
    return {"HyperParameterTuningJobArn": job.arn}


def describe(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """DescribeHyperParameterTuningJob."""
    return description(_find(request, context), context)


def stop(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """StopHyperParameterTuningJob: asks the tuning loop to stop it; refused where the job has ended."""
    name = _find(request, context).name
    context.store.update(TuningJob, name, lambda job: _stopping(job, context.clock()))
    return {}


def delete(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """DeleteHyperParameterTuningJob: forgets the tuning job and its tags; its training jobs and their artifacts stay.
    Refused while it runs."""
    job = _find(request, context)
    if not job.status.ended:
        raise InvalidInput(
            f"The request was rejected because the hyperparameter tuning job is in status {job.status}. Only one that "
            "is Completed, Stopped or Failed can be deleted: stop it with StopHyperParameterTuningJob, or wait for it."
        )
    resources.remove(context, TuningJob, job.name, job.arn, _missing(job.name))
    return {}


def list_of(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """ListHyperParameterTuningJobs."""
    return _LISTING.respond(request, context, TuningJob, lambda job: summary(job, context))


def list_trials(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """ListTrainingJobsForHyperParameterTuningJob."""
    job = _find(request, context)
    if request.get("SortBy") == "FinalObjectiveMetricValue":
        return _by_objective(request, context, job)
    return _TRIALS.respond(request, context, TrainingJob, lambda trial: trial_summary(trial, job), group=job.name)


def _by_objective(request: dict[str, Any], context: Context, job: TuningJob) -> dict[str, Any]:
    """A page in the order of the objective, of the trials that have one; the token is the place in that order."""
    wanted, start = request.get("StatusEquals"), _start(request)
    scored = [(value, trial) for trial in trials(job, context) if (value := objective(job, trial)) is not None]
    chosen = [pair for pair in scored if not wanted or pair[1].status == wanted]
    chosen.sort(key=lambda pair: pair[0], reverse=request.get("SortOrder") == "Descending")
    end = start + request.get("MaxResults", DEFAULT_RESULTS)
    return {
        _TRIALS.member: [trial_summary(trial, job) for _, trial in chosen[start:end]],
        "NextToken": token(str(end)) if end < len(chosen) else None,
    }


def _start(request: dict[str, Any]) -> int:
    place = cursor(request.get("NextToken", "")) or "0"
    if not place.isdecimal():
        raise InvalidInput("NextToken belongs to a list in another order; pass the one that the last page gave")
    return int(place)


def _find(request: dict[str, Any], context: Context) -> TuningJob:
    name = request["HyperParameterTuningJobName"]
    return resources.find(context, TuningJob, name, _missing(name))


def _missing(name: str) -> NotFound:
    return NotFound(f"Amazon SageMaker can't find a tuning job called {name}. Type another name.")


def _check_trials_are_gone(name: str, context: Context) -> None:
    """AlreadyExists where there are training jobs of a deleted tuning job `name`: they would count as the new one's."""
    try:
        context.store.get(TuningJob, name)
    except NotFound:
        left = context.store.list(TrainingJob, Query(group=name, limit=1)).records
        if left:
            raise AlreadyExists(
                f"Training jobs of a deleted hyperparameter tuning job with the name, {name}, still exist "
                f"(e.g. {left[0].name}). Choose a different name."
            ) from None


def _record(request: dict[str, Any], context: Context) -> TuningJob:
    name, now = request["HyperParameterTuningJobName"], context.clock()
    return TuningJob(
        name=name,
        created_at=now,
        modified_at=now,
        arn=context.arn(TuningJob.kind, name),
        spec=tuning_spec(request),
        document=tuning_document(request),
    )


def _stopping(job: TuningJob, now: float) -> TuningJob:
    if job.status.ended:
        raise InvalidInput(f"The request was rejected because the hyperparameter tuning job is in status {job.status}.")
    if job.status is TuningStatus.STOPPING:
        return job
    return job.evolve(status=TuningStatus.STOPPING, modified_at=now)
