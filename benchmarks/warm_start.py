"""How long a job takes to its script's first line after `import torch, torchvision, timm`, against `python script.py`.

    python benchmarks/warm_start.py [--pairs 10]

Prints a table and a JSON line. Each pair is the script by itself, then the same script as a job, called by boto3
(`CreateTrainingJob` to the line, whole service), from `ProcessLauncher.start` by a warm start, and from there plainly.
The files are in the page cache for all of them.

Learned (26 November 2026, two quiet cores, torch 2.13 for the CPU, 10 pairs): 1.98 s by itself, 0.061 s from
CreateTrainingJob by a warm start (32 times faster, 27 at worst), of which the forks of a process of 334 MB are most. To
the job's end 0.33 s instead of 2.73. A script's own memory at its first line is 21 MB instead of 252: the rest is the
template's, shared.
What mattered: the collector's objects are frozen before the fork, so that it does not write to their pages; OpenBLAS's
threads, which its import starts, end at the first fork; pandas is not imported ahead, as pyarrow starts a thread.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from job_start import service, through_api  # the benchmark beside this one
from sagehound.jobs.contract import Staged, launch
from sagehound.jobs.process import ProcessLauncher
from sagehound.jobs.variables import DROPIN
from sagehound.records.training import TrainingJob, TrainingSpec

_SCRIPT = """\
import torch, torchvision, timm
import os, time
print("first line", time.time())
with open("/proc/self/smaps_rollup") as own, open(f"/proc/{os.getppid()}/smaps_rollup") as keepers:
    for who, file in (("script", own), ("keeper", keepers)):
        rows = dict(line.split()[:2] for line in list(file)[1:])
        print(who, int(rows["Private_Clean:"]) + int(rows["Private_Dirty:"]), rows["Pss:"])
"""


def alone(folder: Path) -> float:
    """Seconds from starting `python train.py` to its first line."""
    environment = {**os.environ, "PYTHONPATH": str(DROPIN)}
    began = time.time()
    done = subprocess.run(
        [sys.executable, "train.py"], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return float(_words(done.stdout, "first line")[-1]) - began


def as_job(launcher: ProcessLauncher, folder: Path, name: str) -> tuple[float, float, int]:
    """Seconds from `start` to the first line and to the job's end, and the script's own memory in MB."""
    spec = TrainingSpec(
        hyperparameters={"sagemaker_program": "train.py"}, output_uri="s3://bucket/", instance_type="ml.c5.xlarge"
    )
    job = TrainingJob(name=name, created_at=0, modified_at=0, arn="arn", spec=spec, document={})
    staged = Staged(folder=folder / name, hosts_channels={}, code=folder / "sourcedir.tar.gz", cpus=2)
    ready = launch(job, staged)
    began = time.time()
    launcher.start(ready)
    end = asyncio.run(launcher.wait(ready.folder))
    assert end.code == 0, end.reason
    log = (ready.folder / "algo-1.log").read_text()
    return float(_words(log, "first line")[-1]) - began, end.ended_at - began, int(_words(log, "script")[-2]) // 1024


def _words(text: str, mark: str) -> list[str]:
    return next(line for line in text.splitlines() if mark in line).split()


def _memory_mb(pid: int, field: str) -> int:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(row for row in rows if row.startswith(field)).split()[1]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    pairs = parser.parse_args().pairs
    plain, warm = ProcessLauncher(warm=False), ProcessLauncher()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.py").write_text(_SCRIPT)
        with tarfile.open(folder / "sourcedir.tar.gz", "w:gz") as tar:
            tar.add(folder / "train.py", "train.py")
        as_job(warm, folder, "first")
        assert warm.warm is not None
        assert warm.warm.await_ready(60)
        template_mb = _memory_mb(warm.warm.process, "Rss:")
        with service(folder) as client:
            for number in range(2):  # the first brings its template about
                through_api(client, folder, -1 - number)
                time.sleep(8)
            rows = [
                (
                    alone(folder),
                    through_api(client, folder, number),
                    *as_job(warm, folder, f"warm-{number}"),
                    *as_job(plain, folder, f"plain-{number}"),
                )
                for number in range(pairs)
            ]
        warm.warm.close()
    bare, asked, warm_s, warm_end, warm_mb, plain_s, plain_end, plain_mb = (
        statistics.median(column) for column in zip(*rows, strict=True)
    )
    print(f"{'median of ' + str(pairs) + ' pairs, to the first line':<40}{'s':>8}{'alone / this':>14}")
    for label, value in (
        ("python script.py", bare),
        ("job, from CreateTrainingJob, warm", asked),
        ("job, from start, warm", warm_s),
        ("job, from start, plainly", plain_s),
    ):
        print(f"{label:<40}{value:>8.3f}{bare / value:>14.1f}")
    print(f"from start to the job's end: {warm_end:.3f} s warm, {plain_end:.3f} s plainly")
    print(f"memory: template {template_mb} MB; a script's own {warm_mb:.0f} MB warm, {plain_mb:.0f} MB plainly")
    ratios = [row[0] / row[1] for row in rows]
    result = {
        "benchmark": "warm_start",
        "alone_s": bare,
        "job_s": asked,
        "ratio": statistics.median(ratios),
        "ratio_worst": min(ratios),
        "target": 10,
        "template_mb": template_mb,
        "job_own_mb": warm_mb,
    }
    print(json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}))


if __name__ == "__main__":
    main()
