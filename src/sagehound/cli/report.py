"""`sagehound report`: the profiler's report on a training job, fetched or written; the page of a tuning job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from sagehound.cli.connection import Connection, connect
from sagehound.cli.console import Home, progress, say
from sagehound.cli.jobs import TRAINING, find
from sagehound.cli.study_reader import StudyReader
from sagehound.cli.watch import write
from sagehound.errors import NotFound, ServiceUnavailable
from sagehound.names import S3Uri

REPORT = "profiler-report.html"
_RULE = "ProfilerReport"
_MODULE = "sagehound.profile.evaluator"


def report(
    name: Annotated[str, typer.Argument(metavar="JOB", help="A training job or a tuning job; it may still run.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where it goes.", show_default="JOB.html")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    home: Home = None,
) -> None:
    """Write what there is to know of a job as one HTML file.

    Of a training job: where its time went, and what would help, as the profiler saw it. Of a tuning job: the best
    configuration, every trial, and which hyperparameters mattered.
    """
    connection = connect(home)
    kind, job = find(connection.client("sagemaker"), name)
    path = (output or Path()).expanduser().absolute()
    if output is None or path.is_dir():
        path = path / f"{name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == TRAINING:
        path.write_bytes(html(connection, job))
    else:
        write(StudyReader(connection, name).read(), path)
    say(str(path))
    if show and not webbrowser.open(path.as_uri()):
        progress(f"no browser was found; open {path.as_uri()} in one")


def html(connection: Connection, job: dict[str, Any]) -> bytes:
    """The report that the job's own rule wrote, which is a minute old at most; else one of what there is now.

    NotFound where the job was never profiled.
    """
    s3 = connection.client("s3")
    for place in report_places(job):
        try:
            body: bytes = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            continue
        return body
    return _written(connection, job)


def report_places(job: dict[str, Any]) -> Iterator[S3Uri]:
    """Where the job's ProfilerReport rules store their reports."""
    for rule in job.get("ProfilerRuleConfigurations", []):
        if rule.get("RuleParameters", {}).get("rule_to_invoke") == _RULE:
            output = S3Uri.parse(rule.get("S3OutputPath") or job["OutputDataConfig"]["S3OutputPath"])
            place = f"{job['TrainingJobName']}/rule-output/{rule['RuleConfigurationName']}/profiler-output/{REPORT}"
            yield output / place


def _written(connection: Connection, job: dict[str, Any]) -> bytes:
    """A report made here and now, by the process that makes them for rules."""
    place = profile_place(connection, job)
    with tempfile.TemporaryDirectory(prefix="sagehound-report-") as scratch:
        folder = Path(scratch)
        (folder / "request.json").write_text(json.dumps(_request(connection, job, place, folder / "output")))
        (folder / "ended").touch()
        progress(f"reading {place}")
        environment = {**os.environ, **connection.environment()}
        done = subprocess.run(
            [sys.executable, "-m", _MODULE, str(folder)], env=environment, capture_output=True, text=True, check=False
        )
        path = folder / "output" / _RULE / "profiler-output" / REPORT
        if not path.is_file():
            raise ServiceUnavailable(f"the report could not be written: {_reason(folder, done.stderr)}")
        return path.read_bytes()


def profile_place(connection: Connection, job: dict[str, Any]) -> S3Uri:
    """Where the job's profile is; NotFound where there is none."""
    name, config = job["TrainingJobName"], job.get("ProfilerConfig", {})
    output = config.get("S3OutputPath") or job["OutputDataConfig"]["S3OutputPath"]
    place = S3Uri.parse(output) / f"{name}/profiler-output"
    listed = connection.client("s3").list_objects_v2(Bucket=place.bucket, Prefix=f"{place.key}/", MaxKeys=1)
    if not listed.get("Contents"):
        soon = "; it runs, so there may be some in a few seconds" if job["TrainingJobStatus"] == "InProgress" else ""
        raise NotFound(
            f"nothing was profiled of {name}: {place} is empty{soon}. Give the estimator a profiler_config, and leave "
            "disable_profiler out"
        )
    return place


def tensors_place(job: dict[str, Any]) -> str | None:
    """Where the debugger saved the job's tensors; None where it saved none."""
    output = job.get("DebugHookConfig", {}).get("S3OutputPath")
    return str(S3Uri.parse(output) / f"{job['TrainingJobName']}/debug-output") if output else None


def _request(connection: Connection, job: dict[str, Any], profile: S3Uri, output: Path) -> dict[str, Any]:
    name = job["TrainingJobName"]
    folder = connection.home / "jobs" / name
    times = {
        key: job[field].timestamp() if field in job else None
        for key, field in (
            ("created_s", "CreationTime"),
            ("started_s", "TrainingStartTime"),
            ("ended_s", "TrainingEndTime"),
        )
    }
    resources = job["ResourceConfig"]
    facts = {
        "name": name,
        "status": job["TrainingJobStatus"],
        "instance_type": resources["InstanceType"],
        "hosts": [f"algo-{number}" for number in range(1, resources["InstanceCount"] + 1)],
        "cores": os.cpu_count() or 0,
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "interval_ms": job.get("ProfilerConfig", {}).get("ProfilingIntervalInMilliseconds", 500),
        **_started_with(folder),
        **times,
    }
    return {
        "profile": str(profile),
        "output": str(output),
        "job": facts,
        "metrics": str(folder / "metrics.jsonl"),
        "tensors": tensors_place(job),
        "debugger_rules": str(folder / "rules" / "findings"),
        "rules": [{"name": _RULE, "rule": _RULE, "parameters": {}}],
    }


def _started_with(folder: Path) -> dict[str, int]:
    """The threads and GPUs of a host, where the job ran on this machine."""
    try:
        environment = json.loads((folder / "launch.json").read_bytes())["hosts"][0]["environment"]
    except (OSError, ValueError, LookupError):
        return {}
    gpus = [word for word in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if word]
    return {"threads": int(environment.get("OMP_NUM_THREADS") or 0), "gpus": len(gpus)}


def _reason(folder: Path, said: str) -> str:
    """Why the rule failed, or the last line that its process printed."""
    try:
        details = json.loads((folder / f"{_RULE}.json").read_bytes()).get("details", "")
    except (OSError, ValueError):
        details = ""
    return details or next(iter(said.strip().splitlines()[-1:]), "its process said nothing")
