"""How fast an unmodified CPU training script is as a job, against the same script by itself, pair by pair.

    python benchmarks/allocator.py [--pairs 2] [--steps 4] [--workers 0] [--set NAME=VALUE ...]

The script is one as users of the workflow write it: a frozen ResNet-50 of torchvision with a new head, batch 64, fp32,
ImageFolder, transforms, DataLoader. It prints images a second of its training loop (without the first step, which
warms up), processor time an image, and page faults. `--set` tries other settings of the allocator. Prints a table and
a JSON line.

Learned. By itself the script takes 7 million page faults in three steps, as a job 40 thousand: glibc maps every buffer
over 128 KiB (32 MiB at most, once it has adapted) anew and gives it back when it is freed, and the kernel clears each
page. MALLOC_MMAP_MAX_=0 alone takes them from the heap, MALLOC_TRIM_THRESHOLD_ keeps the heap's top from being given
back, MALLOC_TOP_PAD_ makes it grow in fewer steps (32 MiB and 256 MiB differ neither in faults nor in memory). The
price is memory: 1.2 to 1.4 times as much at the peak, as a heap cannot give back what lies under something that is
still used. On two quiet cores: 8.5
images a second by itself, 15.6 as a job, 1.84 times as many (two pairs). On a busy machine single pairs gave anything
from 0.63 (tests ran beside the job and not beside its peer) to 2.97: measure it on a quiet one.
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
from pathlib import Path

from sagehound.jobs import allocator
from sagehound.jobs.contract import Staged, launch
from sagehound.jobs.process import ProcessLauncher
from sagehound.jobs.variables import DROPIN
from sagehound.records.training import Channel, TrainingJob, TrainingSpec

_WEIGHTS = Path(__file__).resolve().parents[2] / "shared" / "weights" / "resnet50_v1_fp16.safetensors"
_SCRIPT = """
import argparse, json, os, resource, time
import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

def net(weights):
    model = models.resnet50()
    if os.path.exists(weights):
        from safetensors.torch import load_file
        model.load_state_dict({k: v.float() for k, v in load_file(weights).items()}, strict=False)
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.fc = nn.Sequential(nn.Linear(model.fc.in_features, 128), nn.ReLU(), nn.Linear(128, 4))
    return model

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default=os.environ.get("SM_CHANNEL_TRAINING"))
    parser.add_argument("--weights")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--workers", type=int, default=0)
    args = parser.parse_args()
    transform = transforms.Compose([
        transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    loader = DataLoader(datasets.ImageFolder(args.data, transform), batch_size=args.batch_size, shuffle=True,
                        num_workers=args.workers)
    model, criterion = net(args.weights), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.fc.parameters(), lr=0.001)
    model.train()
    images, began = -1, time.time()
    for data, target in loader:
        optimizer.zero_grad()
        loss = criterion(model(data), target)
        loss.backward()
        optimizer.step()
        if images < 0:
            usage = resource.getrusage(resource.RUSAGE_SELF)
            images, began, faults, cpu = 0, time.time(), usage.ru_minflt, usage.ru_utime + usage.ru_stime
        else:
            images += len(data)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"images_per_s": images / (time.time() - began), "faults": usage.ru_minflt - faults,
                      "cpu_ms": (usage.ru_utime + usage.ru_stime - cpu) / images * 1000,
                      "memory_mb": usage.ru_maxrss / 1024, "loss": loss.item()}))

main()
"""


def make_photos(folder: Path, count: int) -> None:
    """Class folders of JPEG pictures of the size that phones' thumbnails have."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    for number in range(count):
        target = folder / f"class{number % 4}"
        target.mkdir(parents=True, exist_ok=True)
        small = random.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(small).resize((320, 240)).save(target / f"{number}.jpg")


def alone(folder: Path, workers: int) -> dict[str, float]:
    """What the script says by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment |= {"PYTHONPATH": str(DROPIN), "SM_CHANNEL_TRAINING": str(folder / "data")}
    command = [sys.executable, "train.py", "--weights", str(_WEIGHTS), "--workers", str(workers)]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def as_job(folder: Path, name: str, workers: int, settings: dict[str, str]) -> dict[str, float]:
    """What it says as a job; `settings` are the request's Environment."""
    spec = TrainingSpec(
        hyperparameters={"sagemaker_program": "train.py", "weights": str(_WEIGHTS), "workers": str(workers)},
        environment=settings,
        output_uri="s3://bucket/",
        instance_type="ml.c5.2xlarge",
        channels=(Channel(name="training", uri="s3://bucket/data"),),
    )
    job = TrainingJob(name=name, created_at=0, modified_at=0, arn="arn", spec=spec, document={})
    staged = Staged(
        folder=folder / name,
        hosts_channels={"algo-1": {"training": folder / "data"}},
        code=folder / "sourcedir.tar.gz",
        cpus=len(os.sched_getaffinity(0)),
    )
    launcher = ProcessLauncher()
    launcher.start(launch(job, staged))
    end = asyncio.run(launcher.wait(staged.folder))
    assert end.code == 0, end.reason
    return json.loads((staged.folder / "algo-1.log").read_text().splitlines()[-1].split(" ", 1)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--steps", type=int, default=4, help="steps of 64 images, the first of which is not counted")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    args = parser.parse_args()
    settings = dict(setting.split("=", 1) for setting in args.set)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder / "data", 64 * args.steps)
        (folder / "train.py").write_text(_SCRIPT)
        with tarfile.open(folder / "sourcedir.tar.gz", "w:gz") as tar:
            tar.add(folder / "train.py", "train.py")
        pairs = [
            (alone(folder, args.workers), as_job(folder, f"job-{number}", args.workers, settings))
            for number in range(args.pairs)
        ]
    print(f"{'':<14}{'images/s':>10}{'CPU ms/image':>14}{'page faults':>14}{'memory MB':>12}")
    for number, pair in enumerate(pairs, 1):
        for label, said in zip(("by itself", "as a job"), pair, strict=True):
            speeds = f"{said['images_per_s']:>10.1f}{said['cpu_ms']:>14.0f}"
            print(f"{number}. {label:<11}{speeds}{said['faults']:>14.0f}{said['memory_mb']:>12.0f}")
    ratios = [job["images_per_s"] / bare["images_per_s"] for bare, job in pairs]
    memory = [job["memory_mb"] / bare["memory_mb"] for bare, job in pairs]
    print(
        f"as a job {statistics.median(ratios):.2f} times as fast, with {statistics.median(memory):.2f} times the memory"
    )
    cpu = [bare["cpu_ms"] / job["cpu_ms"] for bare, job in pairs]
    print(f"an image takes {statistics.median(cpu):.2f} times less processor time")
    result = {"benchmark": "allocator", "ratio": round(statistics.median(ratios), 3), "target": 1.8}
    result["cpu_ratio"] = round(statistics.median(cpu), 3)
    print(json.dumps(result | {"memory_ratio": round(statistics.median(memory), 3), "settings": allocator.variables()}))


if __name__ == "__main__":
    main()
