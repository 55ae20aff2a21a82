"""The seed's tuning job against the plain loop of a script as its users write it: time, and test accuracy beside it.

    python benchmarks/tuning_job.py [--data FOLDER] [--weights FILE] [--trials 20] [--plain-trials 2] [--photos N]

Ours: a service of its own, a cold cache, the seed's ranges (lr 0.001 to 0.1, batch_size 32, 64, 128, epochs 1, 2), two
trials side by side, a frozen ResNet-50 as `sagehound.vision.train` makes it; from CreateHyperParameterTuningJob to
Completed. Its trials look at the validation photos too, the plain script does not.
Plain: torchvision's RandomResizedCrop, flip, ImageFolder, DataLoader, fp32, the same weights, frozen, a new last
layer; train and test in each epoch, one process a trial. It is given the seed's best values, then those of our best
trials. What `--plain-trials` of them take is scaled to our trials: the start once a trial, an epoch as often as our
trials had one.
Last, the heads of all our trials are trained again on features in fp32, to show what bf16 changes.
`--photos` takes only so many of the photos on both sides, for a try of the benchmark itself.

With 3,781 photos and two plain trials it runs for 20 to 30 minutes on two cores. Prints a table and a JSON line.

Learned (26 November 2026, two cores of a Zen 4, quiet, as it stands): the tuning job took 63.1 s, 51 of them its first
trials, which make the features (bf16), and 1.3 s each later one. The plain trials took 495 and 439 s for two epochs:
scaled 7,721 s, 122.3 times as fast; one plain epoch 232 s, so the whole job takes 0.27 of one. Test accuracy of the
best 0.879, of the plain ones 0.855 and 0.850. The heads of the same 20 trials on fp32 features: 0.21 points better on
average (from 2.42 better to 0.54 worse), the best the same 0.879. What is left is the convolutions' arithmetic.
Half a day before, on a slower machine of the same kind: 116 s against 12,903 (390 s a plain epoch), 110.9 times.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sagehound
from own_service import own_service  # beside this file
from sagehound.jobs.variables import DROPIN

_SHARED = Path(__file__).resolve().parents[2] / "shared"
_TRAIN = Path(sagehound.__file__).parent / "vision" / "train.py"
_SEEDS_BEST = {"lr": "0.0020447593724576905", "batch_size": "128", "epochs": "2"}
_METRICS = (
    ("average test loss", r"Test set: Average loss: ([0-9\.]+)"),
    ("test accuracy", r"Test set: .* \(([0-9\.]+)%\)"),
)
_PLAIN = """
import argparse, json, time
began = time.time()
import torch
from safetensors.torch import load_file
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

def net(weights, classes):
    model = models.resnet50()
    for stage in (model.layer2, model.layer3, model.layer4):  # the weights are those of the first ResNet-50
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    state = {name: value.float() for name, value in load_file(weights).items() if not name.startswith("fc.")}
    model.load_state_dict(state, strict=False)
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.fc = nn.Linear(model.fc.in_features, classes)
    return model

def train(model, loader, criterion, optimizer):
    model.eval()  # the frozen layers' statistics stay
    for data, target in loader:
        optimizer.zero_grad()
        loss = criterion(model(data), target)
        loss.backward()
        optimizer.step()

def test(model, loader, criterion):
    model.eval()
    loss = correct = 0
    with torch.no_grad():
        for data, target in loader:
            output = model(data)
            loss += criterion(output, target).item() * len(target)
            correct += (output.argmax(1) == target).sum().item()
    return loss / len(loader.dataset), correct / len(loader.dataset)

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float)
    parser.add_argument("--batch_size", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--data")
    parser.add_argument("--weights")
    args = parser.parse_args()
    torch.manual_seed(1)
    normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    augment = transforms.Compose([transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(),
                                  transforms.ToTensor(), normalize])
    plain = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), normalize])
    train_set = datasets.ImageFolder(args.data + "/train", augment)
    test_set = datasets.ImageFolder(args.data + "/test", plain)
    train_loader = DataLoader(train_set, args.batch_size, shuffle=True)
    test_loader = DataLoader(test_set, 100)
    model, criterion = net(args.weights, len(train_set.classes)), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.fc.parameters(), lr=args.lr)
    epochs = []
    for epoch in range(args.epochs):
        started = time.time()
        train(model, train_loader, criterion, optimizer)
        loss, accuracy = test(model, test_loader, criterion)
        epochs.append(time.time() - started)
    print(json.dumps({"epochs_s": epochs, "loss": loss, "accuracy": accuracy}))

main()
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """Hyperparameters, test loss and test accuracy (0 to 1) of one of our trials, and the seconds of its job."""

    values: dict[str, str]
    loss: float
    accuracy: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Plain:
    """A plain trial: its values, the seconds of its process and of each epoch, its test loss and accuracy."""

    values: dict[str, str]
    seconds: float
    epochs_s: list[float]
    loss: float
    accuracy: float


def copy_photos(source: Path, target: Path, most: int | None) -> int:
    """Copy the photos, or `most` of them, evenly over the classes; returns how many."""
    photos = sorted(path for path in source.glob("*/*/*") if path.is_file())
    step = max(1, len(photos) // most) if most else 1
    for path in photos[::step]:
        copied = target / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copied)
    return len(photos[::step])


def tune(client: Any, options: argparse.Namespace, cache: Path) -> float:
    """Run the tuning job; seconds from asking for it to its end."""
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data"}
    categories = {"batch_size": ["32", "64", "128"], "epochs": ["1", "2"]}
    began = time.time()
    client.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="seed",
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": _METRICS[0][0]},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": options.trials, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "lr", "MinValue": "0.001", "MaxValue": "0.1"}],
                "CategoricalParameterRanges": [{"Name": name, "Values": each} for name, each in categories.items()],
            },
            "RandomSeed": 1,
        },
        TrainingJobDefinition={
            "StaticHyperParameters": {
                "sagemaker_program": "train.py",
                "sagemaker_submit_directory": "s3://bucket/sourcedir.tar.gz",
                "model": "resnet50_v1",
                "weights": str(options.weights),
                "feature_cache": str(cache),
                "test-batch-size": "100",
            },
            "AlgorithmSpecification": {
                "TrainingImage": "pytorch-training:2.0-cpu-py310",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": name, "Regex": regex} for name, regex in _METRICS],
            },
            "RoleArn": "arn:aws:iam::000000000000:role/service-role/local-role",
            "InputDataConfig": [{"ChannelName": "training", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
            "ResourceConfig": {"InstanceType": "ml.c5.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
    )
    while True:
        said = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="seed")
        if said["HyperParameterTuningJobStatus"] != "InProgress":
            break
        time.sleep(0.05)
    assert said["HyperParameterTuningJobStatus"] == "Completed", said.get("FailureReason")
    assert said["TrainingJobStatusCounters"]["Completed"] == options.trials, said["TrainingJobStatusCounters"]
    return time.time() - began


def our_trials(client: Any) -> list[Trial]:
    """The trials of the tuning job, in the order in which they were started."""
    found = []
    pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName="seed", SortBy="CreationTime", SortOrder="Ascending"
    )
    for summary in (summary for page in pages for summary in page["TrainingJobSummaries"]):
        job = client.describe_training_job(TrainingJobName=summary["TrainingJobName"])
        metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
        seconds = (job["TrainingEndTime"] - job["CreationTime"]).total_seconds()
        values = {name: job["HyperParameters"][name] for name in _SEEDS_BEST}
        found.append(Trial(values, metrics["average test loss"], metrics["test accuracy"] / 100, seconds))
    return found


def plain_trial(folder: Path, data: Path, weights: Path, values: dict[str, str]) -> Plain:
    """One plain trial, in a process of its own, with nothing of the service around it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment["PYTHONPATH"] = str(DROPIN)  # torchvision beside a CPU build of torch
    (folder / "plain.py").write_text(_PLAIN)
    command = [sys.executable, "plain.py", "--data", str(data), "--weights", str(weights)]
    command += [part for name, value in values.items() for part in (f"--{name}", value)]
    began = time.time()
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return Plain(values, time.time() - began, **json.loads(done.stdout.splitlines()[-1]))


def in_fp32(folder: Path, data: Path, weights: Path, trials: list[Trial]) -> list[float]:
    """The test accuracies of the same trials where features are computed in fp32."""
    from sagehound.vision import options, train

    accuracies = []
    for trial in trials:
        out = folder / "fp32"
        arguments = ["--data", str(data), "--model", "resnet50_v1", "--weights", str(weights), "--precision", "fp32"]
        arguments += ["--feature-cache", str(folder / "fp32-cache"), "--model-dir", str(out)]
        arguments += ["--output-data-dir", str(out), "--test-batch-size", "100"]
        arguments += [part for name, value in trial.values.items() for part in (f"--{name}", value)]
        with contextlib.redirect_stdout(sys.stderr):
            train.run(options.parse(arguments, {}))
        accuracies.append(json.loads((out / "history.json").read_text())["test"]["accuracy"])
    return accuracies


def precision_of(home: Path) -> str:
    """What the trials computed in, from the log of one of them."""
    for log in sorted((home / "jobs").glob("*/algo-1.log")):
        for line in log.read_text().splitlines():
            if "Features are computed in " in line:
                return line.rpartition(" ")[2]
    return "fp32"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=_SHARED / "data" / "clothing-small")
    parser.add_argument("--weights", type=Path, default=_SHARED / "weights" / "resnet50_v1_fp16.safetensors")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--plain-trials", type=int, default=2)
    parser.add_argument("--plain-epochs", type=int, help="of each plain trial; by default those of its values")
    parser.add_argument("--photos", type=int)
    parser.add_argument("--no-fp32", action="store_true", help="leave the comparison of precisions out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        data = home / "s3" / "bucket" / "data"
        photos = copy_photos(options.data, data, options.photos)
        with tarfile.open(home / "s3" / "bucket" / "sourcedir.tar.gz", "w:gz") as tar:
            tar.add(_TRAIN, "train.py")
        with own_service(home) as client:
            ours_s = tune(client, options, home / "cache")
            trials = our_trials(client)
        precision = precision_of(home)
        best = sorted(trials, key=lambda trial: trial.loss)
        given = [_SEEDS_BEST, *(trial.values for trial in best)][: options.plain_trials]
        if options.plain_epochs:
            given = [{**values, "epochs": str(options.plain_epochs)} for values in given]
        plain = [plain_trial(home, data, options.weights, values) for values in given]
        exact = [] if options.no_fp32 else in_fp32(home, data, options.weights, trials)
    report(options, photos, ours_s, trials, plain, precision, exact)


def report(
    options: argparse.Namespace,
    photos: int,
    ours_s: float,
    trials: list[Trial],
    plain: list[Plain],
    precision: str,
    exact: list[float],
) -> None:
    epochs = [seconds for trial in plain for seconds in trial.epochs_s]
    epoch_s = sum(epochs) / len(epochs)
    start_s = sum(trial.seconds - sum(trial.epochs_s) for trial in plain) / len(plain)
    plain_s = sum(start_s + int(trial.values["epochs"]) * epoch_s for trial in trials)
    best, best_plain = min(trials, key=lambda trial: trial.loss), max(plain, key=lambda trial: trial.accuracy)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    print(f"{photos} photos, {len(trials)} trials, {machine}")
    print(f"{'':<50}{'seconds':>10}{'accuracy':>10}")
    print(f"{'the tuning job, features in ' + precision:<50}{ours_s:>10.1f}{best.accuracy:>10.4f}")
    later = sorted(trial.seconds for trial in trials[2:]) or [trials[-1].seconds]
    words = "  the first trial; the median one after the second"
    print(f"{words:<50}{trials[0].seconds:>10.1f}{later[len(later) // 2]:>10.1f} s")
    for trial in plain:
        words = (
            f"plain, lr {float(trial.values['lr']):.4f}, {trial.values['batch_size']}, {trial.values['epochs']} epochs"
        )
        print(f"{words:<50}{trial.seconds:>10.1f}{trial.accuracy:>10.4f}")
    print(f"{'  one plain epoch; a plain start':<50}{epoch_s:>10.1f}{start_s:>10.1f} s")
    print(f"{'plain, scaled to the same trials':<50}{plain_s:>10.1f}{best_plain.accuracy:>10.4f}")
    print(
        f"the tuning job is {plain_s / ours_s:.1f} times as fast, and takes {ours_s / epoch_s:.2f} of one plain epoch"
    )
    result = {
        "benchmark": "tuning_job",
        "photos": photos,
        "trials": len(trials),
        "ours_s": round(ours_s, 1),
        "plain_s": round(plain_s, 1),
        "plain_epoch_s": round(epoch_s, 1),
        "ratio": round(plain_s / ours_s, 1),
        "target": 100,
        "precision": precision,
        "accuracy": best.accuracy,
        "plain_accuracy": best_plain.accuracy,
    }
    if exact:
        apart = [100 * (trial.accuracy - other) for trial, other in zip(trials, exact, strict=True)]
        mean = sum(apart) / len(apart)
        words = f"{precision} against fp32, the same {len(apart)} trials: accuracy {mean:+.2f} points on average"
        print(f"{words}, {min(apart):+.2f} to {max(apart):+.2f}; the best {exact[trials.index(best)]:.4f} in fp32")
        result |= {"points_from_fp32": round(mean, 3), "fp32_accuracy": exact[trials.index(best)]}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
