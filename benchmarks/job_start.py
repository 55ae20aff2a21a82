"""How long a job takes to its script's first line, against `python script.py` by itself, pair by pair.

    python benchmarks/job_start.py [--pairs 15]

Prints a table and a JSON line. "From CreateTrainingJob" is the whole service, called by boto3: signature, record, slot,
staging, launch. "From the record" is `ProcessLauncher.start` of what `contract.launch` made: a shim, a log, an
environment of its own, its own /opt/ml, a channel bound read-only.

The first job, which is not counted, starts plainly; the others are forked from a template.

Learned (26 November 2026, two quiet cores): 0.022 s more than the script by itself from the call on, where 0.3 s are
allowed; 0.065 s by plain starts, a day before. Contract files and code take 7 ms of it. A plain start's rest is the
shim: one interpreter started without site (`-IS`), the imports of json, re and signal, and four fsyncs for the claim
that must survive a power loss. What kept it low: no
pathlib, dataclasses, subprocess or asyncio in the shim; the keeper of a host is forked, not executed; tarfile and zlib
are imported when there is something to pack; the job's own Python environment is a folder with one .pth file (3 ms),
not `python -m venv` (4 s).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from own_service import own_service  # beside this file
from sagehound.jobs.contract import Staged, launch
from sagehound.jobs.process import ProcessLauncher
from sagehound.records.training import Channel, TrainingJob, TrainingSpec

_SCRIPT = "import time; print('first line', time.time())\n"


def alone(folder: Path) -> float:
    """Seconds from starting `python script.py` to its first line."""
    began = time.time()
    done = subprocess.run([sys.executable, "train.py"], cwd=folder, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1]) - began


def as_job(launcher: ProcessLauncher, folder: Path, number: int) -> tuple[float, float, float]:
    """Seconds to the first line from `start`, from before the contract's files are written, and to the job's end."""
    spec = TrainingSpec(
        hyperparameters={"sagemaker_program": "train.py", "lr": "0.1"},
        output_uri="s3://bucket/",
        instance_type="ml.c5.xlarge",
        channels=(Channel(name="training", uri="s3://bucket/data"),),
    )
    job = TrainingJob(name=f"job-{number}", created_at=0, modified_at=0, arn="arn", spec=spec, document={})
    staged = Staged(
        folder=folder / job.name, hosts_channels={"algo-1": {"training": folder}}, code=folder / "sourcedir.tar.gz"
    )
    wanted = time.time()
    ready = launch(job, staged)
    began = time.time()
    launcher.start(ready)
    end = asyncio.run(launcher.wait(ready.folder))
    assert end.code == 0, end.reason
    first = next(line for line in (ready.folder / "algo-1.log").read_text().splitlines() if "first line" in line)
    printed = float(first.split()[-1])
    return printed - began, printed - wanted, end.ended_at - wanted


@contextmanager
def service(home: Path) -> Iterator[Any]:
    """A boto3 client of a service of its own, with the code and one photo in its store."""
    bucket = home / "s3" / "bucket"
    (bucket / "data").mkdir(parents=True)
    (bucket / "data" / "photo.jpg").write_bytes(b"photo")
    shutil.copy(home / "sourcedir.tar.gz", bucket)
    with own_service(home) as client:
        yield client


def through_api(client: Any, home: Path, number: int) -> float:
    """Seconds from calling CreateTrainingJob to the script's first line."""
    name = f"asked-{number}"
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data"}
    began = time.time()
    client.create_training_job(
        TrainingJobName=name,
        RoleArn="arn:aws:iam::000000000000:role/service-role/local-role",
        AlgorithmSpecification={"TrainingImage": "pytorch-training:2.2-cpu-py310", "TrainingInputMode": "File"},
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "s3://bucket/sourcedir.tar.gz",
            "lr": "0.1",
        },
        InputDataConfig=[{"ChannelName": "training", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": "s3://bucket/out"},
        ResourceConfig={"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    client.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    log = (home / "jobs" / name / "algo-1.log").read_text()
    return float(next(line for line in log.splitlines() if "first line" in line).split()[-1]) - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    pairs = parser.parse_args().pairs
    launcher = ProcessLauncher()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.py").write_text(_SCRIPT)
        with tarfile.open(folder / "sourcedir.tar.gz", "w:gz") as tar:
            tar.add(folder / "train.py", "train.py")
        with service(folder) as client:
            through_api(client, folder, pairs)  # the first call of all makes connections
            rows = [
                (alone(folder), *as_job(launcher, folder, number), through_api(client, folder, number))
                for number in range(pairs)
            ]
    bare, started, staged, ended, asked = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{'median of ' + str(pairs):<34}{'s':>8}{'more than alone':>18}")
    for label, value in (
        ("python script.py, first line", bare),
        ("job, from start", started),
        ("job, from the record", staged),
        ("job, from the record to its end", ended),
        ("job, from CreateTrainingJob", asked),
    ):
        print(f"{label:<34}{value:>8.3f}{value - bare:>18.3f}")
    result = {"benchmark": "job_start", "alone_s": bare, "job_s": asked, "more_s": asked - bare, "target_s": 0.3}
    print(json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}))


if __name__ == "__main__":
    main()
