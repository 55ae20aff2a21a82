"""What Describe and List take with many jobs in the store, as a ratio of what they take with ten.

    python benchmarks/store_scale.py [--jobs 10000] [--rounds 400]

Each operation is called twice over: as a function, so that nothing but it is timed, and by boto3 over HTTP, as a user
has it. Both stores answer by turns, each call the same number of times; the fastest twentieth counts. Target: at most
1.2. A part of a name that other names share in pieces takes longer: what finds it goes through those names' pieces.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import uvicorn

from sagehound.api import training_jobs, tuning_jobs
from sagehound.api.app import app
from sagehound.api.context import Context
from sagehound.api.operations import OPERATIONS
from sagehound.keys import Keys
from sagehound.records.invocation import Invocation, Reply
from sagehound.records.training import Metric, TrainingJob, TrainingStatus
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore

FEW = 10
TARGET = 1.2
#: Each tuning job's trials.
TRIALS = 5
BUCKET = "s3://sagemaker-us-east-1-000000000000"
LOSS = {"Name": "average test loss", "Regex": "Test set: Average loss: ([0-9.]+)"}
ALGORITHM = {"TrainingInputMode": "File", "TrainingImage": "pytorch-training:1.8-cpu-py36", "MetricDefinitions": [LOSS]}
RESOURCES = {"VolumeSizeInGB": 30, "InstanceCount": 1, "InstanceType": "ml.c5.2xlarge"}
SOURCE = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{BUCKET}/data"}}
SHARED = {
    "AlgorithmSpecification": ALGORITHM,
    "OutputDataConfig": {"S3OutputPath": BUCKET + "/"},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "ResourceConfig": RESOURCES,
    "RoleArn": "arn:aws:iam::000000000000:role/service-role/local-role",
    "InputDataConfig": [{"ChannelName": "training", "DataSource": SOURCE}],
}


class NoEndpoint:
    async def invoke(self, invocation: Invocation) -> Reply:
        raise NotImplementedError(invocation.endpoint)


def opened(home: Path) -> Context:
    """The API over the store in `home`."""
    store = SqliteStore(home / "state.db")
    return Context(settings=Settings(home=home), store=store, keys=Keys("a", "s"), invoker=NoEndpoint())


def context(home: Path, jobs: int) -> Context:
    """A home with `jobs` ended training jobs, a fifth of them the trials of one tuning job each five."""
    made = opened(home)
    store = made.store
    store._db.execute("PRAGMA synchronous=OFF")
    for number in range(jobs):
        tuning = f"tuning-{number // TRIALS:06d}" if number % (TRIALS * 5) < TRIALS else ""
        if tuning and number % TRIALS == 0:
            tuning_jobs.create(tuning_request(tuning), made)
        training_jobs.create({**SHARED, "TrainingJobName": f"dog-{number:06d}", "HyperParameters": {"lr": "0.1"}}, made)
        store.update(TrainingJob, f"dog-{number:06d}", lambda job, parent=tuning: ended(job, parent))
    return made


def tuning_request(name: str) -> dict[str, Any]:
    lr = {"Name": "lr", "MinValue": "0.001", "MaxValue": "0.1"}
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": TRIALS, "MaxParallelTrainingJobs": 1},
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": LOSS["Name"]},
            "ParameterRanges": {"ContinuousParameterRanges": [lr]},
        },
        "TrainingJobDefinition": SHARED,
    }


def ended(job: TrainingJob, parent: str) -> TrainingJob:
    loss = Metric(name=LOSS["Name"], value=0.5, at=job.created_at)
    done = job.evolve(status=TrainingStatus.COMPLETED, started_at=job.created_at, ended_at=job.created_at + 9)
    return replace(done, metrics=(loss,), parent=parent)


def calls() -> dict[str, tuple[str, dict[str, Any]]]:
    """Operation and request; what is asked for is there in both stores, and as much of it."""
    jobs, one, search = "ListTrainingJobs", {"TrainingJobName": "dog-000007"}, "tuning-000000"
    tuning = {"HyperParameterTuningJobName": search}
    return {
        "DescribeTrainingJob": ("DescribeTrainingJob", one),
        "DescribeHyperParameterTuningJob": ("DescribeHyperParameterTuningJob", tuning),
        "ListTrainingJobs": (jobs, {}),
        "ListTrainingJobs, newest first": (jobs, {"SortOrder": "Descending"}),
        "ListTrainingJobs, by name": (jobs, {"SortBy": "Name"}),
        "ListTrainingJobs, by status": (jobs, {"SortBy": "Status"}),
        "ListTrainingJobs, completed": (jobs, {"StatusEquals": "Completed"}),
        "ListTrainingJobs, in progress": (jobs, {"StatusEquals": "InProgress"}),
        "ListTrainingJobs, ten names": (jobs, {"NameContains": "dog-00000"}),
        "ListTrainingJobs, one name": (jobs, {"NameContains": "000007"}),
        "ListTrainingJobs, created after": (jobs, {"CreationTimeAfter": 1.0}),
        "ListHyperParameterTuningJobs, one name": ("ListHyperParameterTuningJobs", {"NameContains": search}),
        "ListTrainingJobsForHyperParameterTuningJob": ("ListTrainingJobsForHyperParameterTuningJob", tuning),
    }


def measure(small: Callable[[], Any], large: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Seconds a call of each, by turns: the fastest twentieth, which other work on the machine disturbs least."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for place, call in enumerate((small, large)):
            began = time.perf_counter()
            call()
            took[place].append(time.perf_counter() - began)
    return statistics.quantiles(took[0], n=20)[0], statistics.quantiles(took[1], n=20)[0]


def serve(home: Path, listener: socket.socket) -> None:
    """A service's API over the store in `home`, in a process of its own."""
    uvicorn.Server(uvicorn.Config(app(opened(home)), log_level="warning", lifespan="off")).run([listener])


@contextlib.contextmanager
def client(made: Context) -> Iterator[Any]:
    """A boto3 client of a service over the store of `made`."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(made.settings.home, listener))
    server.start()
    keys = {"aws_access_key_id": made.keys.access_key, "aws_secret_access_key": made.keys.secret_key}
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield boto3.client("sagemaker", endpoint_url=url, region_name=made.settings.region, **keys)
    finally:
        server.terminate()
        server.join()


def compare(few: Context, many: Context, rounds: int) -> dict[str, tuple[tuple[float, float], tuple[float, float]]]:
    """For each call: (few, many) in this process, and the same over HTTP."""
    rows = {}
    with client(few) as near, client(many) as far:
        for name, (operation, request) in calls().items():
            function, method = OPERATIONS["sagemaker", operation], near.meta.method_to_api_mapping
            method = next(mine for mine, theirs in method.items() if theirs == operation)
            here = measure(partial(function, request, few), partial(function, request, many), rounds)
            there = measure(
                partial(getattr(near, method), **request), partial(getattr(far, method), **request), rounds // 4
            )
            rows[name] = (here, there)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=400)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few, many = context(Path(folder, "few"), FEW), context(Path(folder, "many"), arguments.jobs)
        rows = compare(few, many, arguments.rounds)
    print(f"{'':42} in process, us           over HTTP, us")
    print(f"{'operation':42} {FEW:>6} {arguments.jobs:>8} ratio {FEW:>12} {arguments.jobs:>8} ratio")
    for name, (here, there) in rows.items():
        print(f"{name:42} {cells(here)} {'':4} {cells(there)}")
    ratios = {name: [round(large / small, 3) for small, large in row] for name, row in rows.items()}
    print(json.dumps({"benchmark": "store_scale", "jobs": arguments.jobs, "ratios": ratios, "target": TARGET}))


def cells(pair: tuple[float, float]) -> str:
    small, large = pair
    return f"{small * 1e6:6.0f} {large * 1e6:8.0f} {large / small:5.2f}"


if __name__ == "__main__":
    main()
