"""Log groups and their streams: which file holds what CloudWatch Logs calls a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sagehound.api import resources
from sagehound.api.context import Context
from sagehound.errors import NotFound
from sagehound.jobs import logs
from sagehound.records.serving import Endpoint
from sagehound.records.training import TrainingJob
from sagehound.store.store import Query, every

TRAINING_GROUP = "/aws/sagemaker/TrainingJobs"
ENDPOINTS = "/aws/sagemaker/Endpoints/"
_ENDPOINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Stream:
    """One host's log: `name` as CloudWatch has it, the folder and host by which `jobs.logs` reads it, and when it was
    created, in seconds since the epoch."""

    name: str
    folder: Path
    host: str
    created_at: float


def streams(group: str, context: Context, prefix: str = "") -> list[Stream]:
    """The group's streams whose names begin with `prefix`, by name; NotFound where there is no such group."""
    if group == TRAINING_GROUP:
        found = _training(context, prefix)
    elif group.startswith(ENDPOINTS):
        found = _serving(group.removeprefix(ENDPOINTS), context)
    else:
        raise NotFound("The specified log group does not exist.")
    return sorted((stream for stream in found if stream.name.startswith(prefix)), key=lambda stream: stream.name)


def stream(group: str, name: str, context: Context) -> Stream:
    """The stream of that name; NotFound where there is none."""
    for found in streams(group, context, name):
        if found.name == name:
            return found
    raise NotFound("The specified log stream does not exist.")


def _training(context: Context, prefix: str) -> Iterator[Stream]:
    """`<job>/algo-<n>-<epoch>`; a prefix with a slash names its job."""
    job, slash, _ = prefix.partition("/")
    for record in _job(job, context) if slash else _jobs(job, context):
        folder = context.settings.jobs_folder / record.name
        for host in logs.hosts(folder):
            yield Stream(f"{record.name}/{host}-{int(record.created_at)}", folder, host, record.created_at)


def _job(name: str, context: Context) -> list[TrainingJob]:
    try:
        return [context.store.get(TrainingJob, name)]
    except NotFound:
        return []


def _jobs(prefix: str, context: Context) -> list[TrainingJob]:
    return every(context.store, TrainingJob, Query(name_contains=prefix, sort="name", limit=1000))


def _serving(endpoint: str, context: Context) -> Iterator[Stream]:
    """`<variant>/i-<n>`, one a worker; an endpoint that was deleted has its streams still."""
    missing = NotFound("The specified log group does not exist.")
    if not _ENDPOINT.fullmatch(endpoint):
        raise missing
    folder = context.settings.endpoints_folder / endpoint
    hosts = logs.hosts(folder)
    if not hosts:
        resources.find(context, Endpoint, endpoint, missing)
    for host in hosts:
        variant, _, number = host.rpartition("-")
        first, _ = logs.read_lines(folder, host, 0, 1)
        yield Stream(f"{variant}/i-{number}", folder, host, first[0].at_ms / 1000 if first else 0.0)
