"""`sagehound jobs` and `stop`: training jobs and tuning jobs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from sagehound.cli.connection import connect, pages
from sagehound.cli.console import AsJson, Home, duration, progress, say, say_json, say_table
from sagehound.errors import NotFound
from sagehound.records.notes import of_response
from sagehound.records.training import TrainingStatus

Job = Annotated[str, typer.Argument(metavar="JOB", help="The name of a training job or a tuning job.")]
Summary = dict[str, Any]

TRAINING, TUNING = "training", "tuning"


def jobs(
    name: Annotated[str, typer.Argument(metavar="[JOB]", help="One job in detail; a tuning job with its trials.")] = "",
    home: Home = None,
    status: Annotated[
        TrainingStatus | None, typer.Option(case_sensitive=False, help="Those alone.", show_default="all")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List training and tuning jobs, newest first, or show one."""
    sagemaker = connect(home).client("sagemaker")
    if name:
        kind, description = find(sagemaker, name)
        trials = trials_of(sagemaker, name) if kind == TUNING else []
        notes = of_response(description)
        description.pop("ResponseMetadata", None)
        if as_json:
            say_json({**description, **({"TrainingJobSummaries": trials} if trials else {})})
        else:
            _say_job(kind, description, notes)
            _say_trials(trials)
        return
    found = _list(sagemaker, status, limit)
    if as_json:
        say_json(found)
        return
    say_table(("NAME", "KIND", "STATUS", "STARTED", "TOOK"), [_row(job) for job in found])
    if not found:
        progress(
            f"no job is {status}; sagehound jobs lists all"
            if status
            else "no jobs yet; start one from a program: sagehound new FOLDER writes one to begin with"
        )


def find(sagemaker: Any, name: str) -> tuple[str, Summary]:  # noqa: ANN401
    """A job's kind and its description, whichever kind it is; NotFound where there is none."""
    try:
        return TRAINING, sagemaker.describe_training_job(TrainingJobName=name)
    except sagemaker.exceptions.ClientError as error:
        _raise_unless_missing(error)
    try:
        return TUNING, sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    except sagemaker.exceptions.ClientError as error:
        _raise_unless_missing(error)
    raise NotFound(f"no training or tuning job is named {name!r}; sagehound jobs lists them")


def _raise_unless_missing(error: Any) -> None:  # noqa: ANN401
    # A record of another version's is there, and refused with the same code as one that is not.
    said = error.response["Error"]
    if said["Code"] not in ("ValidationException", "ResourceNotFound") or "cannot be read" in said["Message"]:
        raise error


def trials_of(sagemaker: Any, name: str) -> list[Summary]:  # noqa: ANN401
    """The trials of a tuning job, as the API lists them, oldest first."""
    return pages(
        sagemaker,
        "list_training_jobs_for_hyper_parameter_tuning_job",
        "TrainingJobSummaries",
        HyperParameterTuningJobName=name,
        SortBy="CreationTime",
        SortOrder="Ascending",
    )


def _list(sagemaker: Any, status: TrainingStatus | None, limit: int) -> list[Summary]:  # noqa: ANN401
    request = {
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
        **({"StatusEquals": status.value} if status else {}),
    }
    found = []
    for kind, operation, prefix in (
        (TRAINING, "list_training_jobs", "TrainingJob"),
        (TUNING, "list_hyper_parameter_tuning_jobs", "HyperParameterTuningJob"),
    ):
        for job in pages(sagemaker, operation, f"{prefix}Summaries", limit, **request):
            ended = job.get("TrainingEndTime") or job.get("HyperParameterTuningEndTime")
            found.append(
                {
                    "name": job[f"{prefix}Name"],
                    "kind": kind,
                    "status": job[f"{prefix}Status"],
                    "created": job["CreationTime"],
                    "ended": ended,
                }
            )
    return sorted(found, key=lambda job: job["created"], reverse=True)[:limit]


def _row(job: Summary) -> tuple[str, ...]:
    return job["name"], job["kind"], job["status"], _moment(job["created"]), _took(job["created"], job["ended"])


def _moment(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _took(begin: datetime, end: datetime | None) -> str:
    return duration(((end or datetime.now(UTC)) - begin).total_seconds())


def _say_job(kind: str, job: Summary, notes: Iterable[str]) -> None:
    prefix = "TrainingJob" if kind == TRAINING else "HyperParameterTuningJob"
    said = job[f"{prefix}Status"]
    if kind == TRAINING and job.get("SecondaryStatus") not in (None, said):
        said += f" ({job['SecondaryStatus']})"
    ended = job.get("TrainingEndTime") or job.get("HyperParameterTuningEndTime")
    best = job.get("BestTrainingJob", {})
    lines = {
        "status": said,
        "reason": job.get("FailureReason", "") or stop_reason(job),
        "created": f"{_moment(job['CreationTime'])}, took {_took(job['CreationTime'], ended)}",
        "values": ", ".join(
            f"{k}={v}" for k, v in job.get("HyperParameters", {}).items() if not k.startswith(("sagemaker_", "_"))
        ),
        "metrics": ", ".join(f"{m['MetricName']} {m['Value']:.6g}" for m in job.get("FinalMetricDataList", [])),
        "rules": ", ".join(
            f"{rule['RuleConfigurationName']} {rule['RuleEvaluationStatus']}"
            for kind in ("Debug", "Profiler")
            for rule in job.get(f"{kind}RuleEvaluationStatuses", [])
        ),
        "model": job.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        "best trial": best.get("TrainingJobName", ""),
    }
    say(job[f"{prefix}Name"])
    for label, text in lines.items():
        if text:
            say(f"  {label:<10} {_indented(text)}")
    for note in notes:
        say(f"  {'note':<10} {_indented(note)}")


def stop_reason(job: Summary) -> str:
    """Why a job was stopped, where it was a rule that did it."""
    last: str = job.get("SecondaryStatusTransitions", [{}])[-1].get("StatusMessage", "")
    stopped = job.get("SecondaryStatus") == "Stopped"
    return last.partition(": ")[2] if stopped else ""


def _indented(text: str) -> str:
    """`text` with its further lines under its first one."""
    return text.replace("\n", "\n" + " " * 13)


def _say_trials(trials: list[Summary]) -> None:
    if not trials:
        return
    names = sorted({name for trial in trials for name in trial.get("TunedHyperParameters", {})})
    rows = []
    for trial in trials:
        metric = trial.get("FinalHyperParameterTuningJobObjectiveMetric", {})
        tuned = trial.get("TunedHyperParameters", {})
        value = f"{metric['Value']:.6g}" if metric else ""
        rows.append(
            (trial["TrainingJobName"], trial["TrainingJobStatus"], *(tuned.get(name, "") for name in names), value)
        )
    say("")
    say_table(("TRIAL", "STATUS", *names, "OBJECTIVE"), rows)


def stop(name: Job, home: Home = None) -> None:
    """Stop a training job, or a tuning job with its running trials. Its model so far is kept."""
    sagemaker = connect(home).client("sagemaker")
    kind, description = find(sagemaker, name)
    if kind == TRAINING:
        now = description["TrainingJobStatus"]
        if now == "InProgress":
            sagemaker.stop_training_job(TrainingJobName=name)
    else:
        now = description["HyperParameterTuningJobStatus"]
        if now == "InProgress":
            sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    if now == "InProgress":
        progress(f"{name} stops: its script gets SIGTERM, and SIGKILL after two minutes; see sagehound jobs {name}")
    else:
        progress(f"{name} is {now} already; nothing to do")
