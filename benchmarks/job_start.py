"""How long a job takes to its script's first line, against `python script.py` by itself, pair by pair.

    python benchmarks/job_start.py [--pairs 15]

Prints a table and a JSON line. A job here is `ProcessLauncher.start` of what `contract.launch` made: a shim, a log,
an environment of its own, its own /opt/ml, a channel bound read-only.

Learned, on two cores that others kept busy (load 3 to 4): 0.13 s from the record to the first line, 0.02 s for the
script by itself, so 0.11 s more where 0.3 s were allowed. Contract files and code take under 10 ms of it. The shim is
the rest: one interpreter started without site (`-IS`), the imports of json, re and signal, and four fsyncs for the
claim that must survive a power loss. What kept it low: no pathlib, dataclasses, subprocess or asyncio in the shim; the
keeper of a host is forked, not executed; tarfile and zlib are imported when there is something to pack; the job's own
Python environment is a folder with one .pth file (3 ms), not `python -m venv` (4 s).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

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
        rows = [(alone(folder), *as_job(launcher, folder, number)) for number in range(pairs)]
    bare, started, staged, ended = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{'median of ' + str(pairs):<34}{'s':>8}{'more than alone':>18}")
    for label, value in (
        ("python script.py, first line", bare),
        ("job, from start", started),
        ("job, from the record", staged),
        ("job, from the record to its end", ended),
    ):
        print(f"{label:<34}{value:>8.3f}{value - bare:>18.3f}")
    result = {"benchmark": "job_start", "alone_s": bare, "job_s": staged, "more_s": staged - bare, "target_s": 0.3}
    print(json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}))


if __name__ == "__main__":
    main()
