"""What sampling the machine costs a training, with and without it, pair by pair.

    python benchmarks/profiler_sampler.py [--pairs 10] [--interval 500] [--steps 600] [--workers 2]

Prints a table and a JSON line. Each pair is the same training as a job of `ProcessLauncher`, once sampled and once not,
in turns of order. The training says how long its steps took and how much processor time they took; the sampler's own
processor time is read from /proc while it runs, over a training that is long enough for the clock's ticks.

Allowed: 0.5 % of one core for the sampler at 500 ms, and 1.005 of the training's time.

Learned (25 November 2026, two quiet cores, ten pairs): 1.0046 times the training's time, 1.0043 of its processor time,
0.08 % of one core for the sampler. The pairs themselves lie between 0.94 and 1.16: so much is the machine's noise.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tarfile
import tempfile
import threading
import time
from pathlib import Path

from sagehound.jobs.contract import Staged, launch
from sagehound.jobs.process import ProcessLauncher
from sagehound.records.training import TrainingJob, TrainingSpec

_SCRIPT = """
import multiprocessing, sys, time
import torch
steps, workers = int(sys.argv[2]), int(sys.argv[4])
def wait(): time.sleep(3600)
children = [multiprocessing.Process(target=wait, daemon=True) for _ in range(workers)]
for child in children: child.start()
torch.set_num_threads(1)
model = torch.nn.Sequential(torch.nn.Linear(256, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
data, labels = torch.randn(64, 256), torch.randint(0, 10, (64,))
def train(count):
    for _ in range(count):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(data), labels).backward()
        optimizer.step()
train(50)
began, used = time.perf_counter(), time.process_time()
train(steps)
print("took", time.perf_counter() - began, time.process_time() - used)
"""


def run(folder: Path, name: str, interval_ms: int, arguments: argparse.Namespace) -> tuple[float, float, float]:
    """Seconds that the steps took, their processor seconds, and the sampler's share of one core in percent."""
    script = {"sagemaker_program": "train.py", "steps": str(arguments.steps), "workers": str(arguments.workers)}
    spec = TrainingSpec(
        hyperparameters=script, output_uri="s3://b/", instance_type="ml.c5.xlarge", profiler_interval_ms=interval_ms
    )
    job = TrainingJob(name=name, created_at=0, modified_at=0, arn="arn", spec=spec, document={})
    launcher, ready = (
        ProcessLauncher(),
        launch(job, Staged(folder=folder / name, hosts_channels={}, code=_code(folder))),
    )
    launcher.start(ready)
    shares: list[float] = []
    watch = threading.Thread(target=_watch, args=(folder / name, shares), daemon=True)
    watch.start()
    ended = asyncio.run(launcher.wait(folder / name))
    assert ended.code == 0, ended.reason
    watch.join()
    words = next(line for line in (folder / name / "algo-1.log").read_text().splitlines() if " took " in line).split()
    return float(words[-2]), float(words[-1]), shares[-1] if shares else 0.0


def _watch(folder: Path, shares: list[float]) -> None:
    """What the sampler has used so far of the time since it was first seen, until it is gone."""
    shim = json.loads((folder / "shim.json").read_text())["pid"]
    first: tuple[float, float] | None = None
    while (used := _sampler_s(shim)) is not None:
        first = first or (time.monotonic(), used)
        if time.monotonic() - first[0] > 1:
            shares[:] = [100 * (used - first[1]) / (time.monotonic() - first[0])]
        time.sleep(0.25)


def _sampler_s(shim: int) -> float | None:
    """Processor seconds of the youngest child of the shim, from the scheduler's own count of nanoseconds; 0 before it
    is there, None when the shim is gone."""
    try:
        children = Path(f"/proc/{shim}/task/{shim}/children").read_text().split()
        if len(children) < 2:
            return 0.0 if children else None
        return int(Path(f"/proc/{children[-1]}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return None


def _code(folder: Path) -> Path:
    archive = folder / "sourcedir.tar.gz"
    if not archive.exists():
        (folder / "train.py").write_text(_SCRIPT)
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(folder / "train.py", "train.py")
    return archive


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--interval", type=int, default=500)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    wall, used, shares = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        for pair in range(arguments.pairs):
            order = (0, arguments.interval) if pair % 2 else (arguments.interval, 0)
            took = {ms: run(Path(scratch), f"job-{pair}-{ms}", ms, arguments) for ms in order}
            sampled, plain = took[arguments.interval], took[0]
            wall.append(sampled[0] / plain[0])
            used.append(sampled[1] / plain[1])
            shares.append(sampled[2])
            print(
                f"{pair:3} {plain[0]:8.3f} s plain {sampled[0]:8.3f} s sampled   sampler {sampled[2]:.3f} % of a core"
            )
    found = {
        "interval_ms": arguments.interval,
        "cores": os.cpu_count(),
        "time_ratio": round(statistics.median(wall), 4),
        "processor_ratio": round(statistics.median(used), 4),
        "sampler_percent_of_a_core": round(statistics.median(shares), 3),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
