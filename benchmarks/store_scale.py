"""What Describe and List take with many jobs in the store, as a ratio of what they take with ten.

    python benchmarks/store_scale.py [--jobs 10000] [--rounds 400]

The operations are called in this process, so that nothing but them is timed. Both stores answer by turns, each call
the same number of times; the median of the calls counts. Target: at most 1.2.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sagehound.api import training_jobs, tuning_jobs
from sagehound.api.context import Context
from sagehound.keys import Keys
from sagehound.records.invocation import Invocation, Reply
from sagehound.records.training import Metric, TrainingJob, TrainingStatus
from sagehound.records.tuning import TuningJob
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

Call = Callable[[Context], Any]


class NoEndpoint:
    async def invoke(self, invocation: Invocation) -> Reply:
        raise NotImplementedError(invocation.endpoint)


def context(home: Path, jobs: int) -> Context:
    """A home with `jobs` ended training jobs, a fifth of them the trials of one tuning job each five."""
    store = SqliteStore(home / "state.db")
    made = Context(settings=Settings(home=home), store=store, keys=Keys("a", "s"), invoker=NoEndpoint())
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


def calls() -> dict[str, Call]:
    """By name; what is asked for is there in both stores, and as much of it."""
    return {
        "DescribeTrainingJob": lambda c: training_jobs.describe({"TrainingJobName": "dog-000007"}, c),
        "DescribeHyperParameterTuningJob": lambda c: tuning_jobs.describe(
            {"HyperParameterTuningJobName": "tuning-000000"}, c
        ),
        "ListTrainingJobs": lambda c: training_jobs.list_of({}, c),
        "ListTrainingJobs, newest first": lambda c: training_jobs.list_of({"SortOrder": "Descending"}, c),
        "ListTrainingJobs, by name": lambda c: training_jobs.list_of({"SortBy": "Name"}, c),
        "ListTrainingJobs, by status": lambda c: training_jobs.list_of({"SortBy": "Status"}, c),
        "ListTrainingJobs, completed": lambda c: training_jobs.list_of({"StatusEquals": "Completed"}, c),
        "ListTrainingJobs, in progress": lambda c: training_jobs.list_of({"StatusEquals": "InProgress"}, c),
        "ListTrainingJobs, name contains": lambda c: training_jobs.list_of({"NameContains": "dog-00000"}, c),
        "ListTrainingJobs, one name": lambda c: training_jobs.list_of({"NameContains": "000007"}, c),
        "ListTrainingJobs, created after": lambda c: training_jobs.list_of({"CreationTimeAfter": 1.0}, c),
        "ListTrainingJobsForHyperParameterTuningJob": lambda c: tuning_jobs.list_trials(
            {"HyperParameterTuningJobName": "tuning-000000"}, c
        ),
        "Model: List of none": lambda c: c.store.list(TuningJob, tuning_jobs._LISTING.query({"NameContains": "none"})),
    }


def measure(call: Call, few: Context, many: Context, rounds: int) -> tuple[float, float]:
    """Median seconds a call, with few and with many."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for place, made in enumerate((few, many)):
            began = time.perf_counter()
            call(made)
            took[place].append(time.perf_counter() - began)
    return statistics.median(took[0]), statistics.median(took[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=400)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few, many = context(Path(folder, "few"), FEW), context(Path(folder, "many"), arguments.jobs)
        rows = {name: measure(call, few, many, arguments.rounds) for name, call in calls().items()}
    print(f"{'operation':46} {FEW:>7} jobs {arguments.jobs:>8} jobs   ratio (target {TARGET})")
    for name, (small, large) in rows.items():
        print(f"{name:46} {small * 1e6:9.0f} us {large * 1e6:10.0f} us   {large / small:5.2f}")
    ratios = {name: round(large / small, 3) for name, (small, large) in rows.items()}
    print(json.dumps({"benchmark": "store_scale", "jobs": arguments.jobs, "ratios": ratios, "target": TARGET}))


if __name__ == "__main__":
    main()
