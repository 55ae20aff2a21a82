"""What a tuning job costs beyond its trials: 500 trials of a script that returns at once.

    python benchmarks/tuner_overhead.py [--trials 500] [--real 500]

Prints two tables and a JSON line.

1. The study alone: ask, record, tell, with trials that end the moment they are made, for each strategy; nothing runs.
   The first and the last fifth of the trials tell whether it grows. Beside it, in the same run, Optuna's own
   `study.optimize` of its TPE sampler with its SQLite storage.
2. End to end: a tuning job in a service, one trial at a time, each a job of its own with log, metrics, artifacts and
   records, against starting the same script plainly as often. And Describe and the list of all trials, by boto3.

Learned (26 November 2026, two quiet cores of a Zen 4): the study's own part is 0.4 ms a trial and flat (Random, Grid).
What rises with the number of trials is Optuna's estimator, with three ranges from 4 ms to 15 at 500 (Hyperband's, which
knows fewer: 9), where Optuna used directly with its SQLite takes 17 to 27; most of that is its logarithm of the
normal distribution, a number at a time in Python.
End to end a trial takes 32.1 ms, 23.5 more than the script by itself (8.6), the first fifth 29.7 and the last 31.0. The
same day, before the last changes: 57.5 of 60 trials; with another program on one core 160, now 70. What made it less:
- Light scripts are forked from a template too: an interpreter's start less for the shim, and one for the script.
- Inodes. ext4 passes over those that were freed in the last minute, one by one: 41 new files and folders took 0.9 ms at
  first, 2.5 after 500 trials, and 6 to 28 in a folder where others had removed thousands. A trial made 43, now 32.
- Removing a folder waits for the kernel's other cores: 0.1 ms each where they are idle, 3 where they are busy, 15 a
  trial. Now nobody waits for it.
- The script's process enters its own mount namespace, where a forked rehearsal did so first.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from own_service import own_service  # beside this file
from sagehound.control.study import Study
from sagehound.control.trial_folders import TrialFolders
from sagehound.names import trial_number
from sagehound.records.training import (
    Metric,
    MetricDefinition,
    SecondaryStatus,
    TrainingJob,
    TrainingSpec,
    TrainingStatus,
)
from sagehound.records.tuning import Definition, ParameterRange, TuningJob, TuningSpec
from sagehound.store.sqlite import SqliteStore

_SCRIPT = "import sys\nprint('loss:', sys.argv[sys.argv.index('--lr') + 1])\n"
_RANGES = (
    ParameterRange(name="lr", type="Continuous", low="0.001", high="0.1", scaling="Logarithmic"),
    ParameterRange(name="width", type="Integer", low="8", high="512", scaling="Logarithmic"),
    ParameterRange(name="batch_size", type="Categorical", values=("32", "64", "128")),
)
_GRID = tuple(ParameterRange(name=name, type="Categorical", values=tuple(map(str, range(9)))) for name in "abc")
_REGEX = MetricDefinition(name="loss", regex="loss: ([0-9.e-]+)")
TARGET_MS = 50.0
_STRATEGIES: dict[str, dict[str, Any]] = {
    "Random": {"strategy": "Random"},
    "Grid": {"strategy": "Grid"},
    "Bayesian": {"strategy": "Bayesian"},
    "Bayesian, early stopping": {"strategy": "Bayesian", "early_stopping": True},
    "Hyperband": {"strategy": "Hyperband", "least_resource": 1, "most_resource": 27},
}


def study_times_ms(folder: Path, trials: int, spec: dict[str, Any]) -> list[float]:
    """Milliseconds from one trial's end to the next one's record, for each trial."""
    store = SqliteStore(folder / "records.db")
    ranges = _GRID if spec["strategy"] == "Grid" else _RANGES
    training = TrainingSpec(output_uri="s3://b/", instance_type="ml.m5.large", metrics=(_REGEX,))
    definition = Definition(metric="loss", ranges=ranges, training=training)
    tuning = TuningSpec(goal="Minimize", definitions=(definition,), max_jobs=trials, max_parallel=1, seed=1, **spec)
    arn = "arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/t"
    store.insert(TuningJob(name="t", created_at=0.0, modified_at=0.0, arn=arn, spec=tuning, document={}))
    made: list[TrainingJob] = []
    store.watch(lambda record: made.append(record) if isinstance(record, TrainingJob) else None)
    study = Study(store, "t", time.time, TrialFolders(folder / "jobs", time.time))
    times, ended = [], []  # type: list[float], list[TrainingJob]
    while len(times) < trials:
        began = time.perf_counter()
        study.advance(ended)
        times.append((time.perf_counter() - began) * 1000)
        ended = [_ended(store, made[-1])]
    store.close()
    return times


def _ended(store: SqliteStore, trial: TrainingJob) -> TrainingJob:
    value = abs(float(trial.tuned.get("lr", trial.tuned.get("a", "0"))) - 0.02) + trial_number(trial.name) % 7 / 1000

    def end(job: TrainingJob) -> TrainingJob:
        done = job.enter(SecondaryStatus.COMPLETED, time.time())
        return replace(done, status=TrainingStatus.COMPLETED, metrics=(Metric(name="loss", value=value, at=1.0),))

    return store.update(TrainingJob, trial.name, end)


def optuna_times_ms(folder: Path, trials: int) -> list[float]:
    """The same of Optuna used directly."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=1)
    study = optuna.create_study(storage=f"sqlite:///{folder}/optuna.db", sampler=sampler)
    times = []
    for _ in range(trials):
        began = time.perf_counter()
        trial = study.ask()
        lr = trial.suggest_float("lr", 0.001, 0.1, log=True)
        trial.suggest_int("width", 8, 512, log=True)
        trial.suggest_categorical("batch_size", ["32", "64", "128"])
        study.tell(trial, abs(lr - 0.02))
        times.append((time.perf_counter() - began) * 1000)
    return times


def real(home: Path, trials: int) -> dict[str, float]:
    """Milliseconds a trial of a tuning job in a service and of the script by itself; and of looking at the job."""
    (home / "s3" / "bucket").mkdir(parents=True)
    (home / "train.py").write_text(_SCRIPT)
    with tarfile.open(home / "s3" / "bucket" / "sourcedir.tar.gz", "w:gz") as archive:
        archive.add(home / "train.py", "train.py")
    with own_service(home) as client:
        _tune(client, "warm", 3)
        began = time.perf_counter()
        _tune(client, "job", trials)
        job_ms = (time.perf_counter() - began) * 1000 / trials
        found = _trials(client, "job")
        starts = sorted(trial["CreationTime"].timestamp() for trial in found)
        gaps = [(after - before) * 1000 for before, after in itertools.pairwise(starts)]
        fifth = max(1, len(gaps) // 5)
        describe = _timed_ms(lambda: client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="job"))
        listed = _timed_ms(lambda: _trials(client, "job"))
    began = time.perf_counter()
    for _ in range(trials):
        subprocess.run([sys.executable, "train.py", "--lr", "0.1"], cwd=home, check=True, capture_output=True)
    plain_ms = (time.perf_counter() - began) * 1000 / trials
    first, last = statistics.median(gaps[:fifth]), statistics.median(gaps[-fifth:])
    return {
        "job_ms": job_ms,
        "plain_ms": plain_ms,
        "overhead_ms": job_ms - plain_ms,
        "first_ms": first,
        "last_ms": last,
        "describe_ms": describe,
        "list_ms": listed,
    }


def _tune(client: Any, name: str, trials: int) -> None:
    static = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://bucket/sourcedir.tar.gz"}
    lr = {"Name": "lr", "MinValue": "0.001", "MaxValue": "0.1"}
    client.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": trials, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"ContinuousParameterRanges": [lr]},
        },
        TrainingJobDefinition={
            "StaticHyperParameters": static,
            "AlgorithmSpecification": {
                "TrainingImage": "pytorch-training:2.2-cpu-py310",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": _REGEX.regex}],
            },
            "RoleArn": "arn:aws:iam::000000000000:role/service-role/local-role",
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
            "ResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    )
    while True:
        found = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if found["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            assert found["TrainingJobStatusCounters"]["Completed"] == trials, found
            return
        time.sleep(0.25)


def _trials(client: Any, name: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    found = pages.paginate(HyperParameterTuningJobName=name, MaxResults=100)
    return [trial for page in found for trial in page["TrainingJobSummaries"]]


def _timed_ms(call: Callable[[], object]) -> float:
    times = []
    for _ in range(7):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def _row(label: str, times: Sequence[float]) -> dict[str, float]:
    fifth = max(1, len(times) // 5)
    # The first trials import the strategy's library, once in a service.
    first, last = statistics.median(times[2 : fifth + 2]), statistics.median(times[-fifth:])
    print(f"{label:<28}{statistics.median(times):>10.2f}{first:>12.2f}{last:>12.2f}{last / first:>12.2f}")
    return {"median_ms": statistics.median(times), "first_ms": first, "last_ms": last}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--real", type=int, default=500, help="trials of the second table; 0: without it")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"benchmark": "tuner_overhead", "trials": arguments.trials, "target_ms": TARGET_MS}
    print(f"{'the study alone, ms a trial':<28}{'median':>10}{'first 5th':>12}{'last 5th':>12}{'last/first':>12}")
    for label, spec in _STRATEGIES.items():
        with tempfile.TemporaryDirectory() as name:
            result[label] = _row(label, study_times_ms(Path(name), arguments.trials, spec))
    with tempfile.TemporaryDirectory() as name:
        result["Optuna"] = _row("Optuna's TPE with SQLite", optuna_times_ms(Path(name), arguments.trials))
    if arguments.real:
        with tempfile.TemporaryDirectory() as name:
            found = result["real"] = real(Path(name), arguments.real)
        print(f"\n{arguments.real} real trials, one at a time, ms a trial")
        for key, value in found.items():
            print(f"{key.removesuffix('_ms'):<28}{value:>10.1f}")
    print(json.dumps(result, default=str))


if __name__ == "__main__":
    main()
