"""How long all built-in rules take over one saved step of ResNet-50's gradients, read from disk.

    python benchmarks/rules_step.py [--rounds 5] [--weights]

Real gradients of torchvision's ResNet-50 (25.6 million floats, 161 tensors, random images) of seven training steps with
SGD are written by the hook's own sink; each round opens the folder anew and lets every rule, with its documented
defaults, judge the last step. The losses saved with them are made to rise, so that PoorWeightInitialization looks at
the gradients too. SimilarAcrossRuns, which needs another run, is left out. The floor is one NumPy pass (a sum) over the
step, read from the same files. One thread; the files are in the page cache. Prints a table and a JSON line. `--weights`
saves the weights too: rules that compare steps then read those of earlier ones.

Learned. Statistics of all gradients in one pass that stays in the cache take 2.5 times as long as adding them up, and
all rules share them: the first rule that asks pays. On two busy cores: 0.19 s for the gradients, 0.05 s where the loss
falls, 0.7 s with weights, of which three steps are read. The target of 0.5 s is for the gradients.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from sagehound.debug.rules.registry import RULES, build
from sagehound.debug.store.open import open_source
from sagehound.debug.store.records import Facts, Model, ModuleInfo, OptimizerInfo, ParameterInfo, TensorInfo
from sagehound.debug.store.sink import SavedStep
from sagehound.debug.store.writer import FolderSink
from sagehound.debug.trial import Trial
from sagehound.vision.operators import install

_TARGET_S = 0.5
_JUDGED, _STEPS = 6, 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--weights", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="sagehound-rules-") as folder:
        elements, tensors = record(Path(folder), given.weights)
        rounds = [measure(folder) for _ in range(given.rounds)]
        floor = statistics.median(one_pass(folder) for _ in range(given.rounds))
    report(rounds, floor, elements, tensors, given.weights)


def record(folder: Path, weights: bool) -> tuple[int, int]:
    """Train and save; returns how many elements and tensors a step has."""
    install()
    import torchvision

    torch.manual_seed(0)
    model, criterion = torchvision.models.resnet50(), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    sink = FolderSink(folder)
    sink.describe(described(model))
    infos = ()
    for step in range(_STEPS):
        before = {f"ResNet_{name}": value.detach().clone() for name, value in model.named_parameters()}
        optimizer.zero_grad()
        loss = criterion(model(torch.randn(2, 3, 96, 96)), torch.randint(1000, (2,)))
        loss.backward()
        arrays = {f"gradient/ResNet_{name}": value.grad.clone() for name, value in model.named_parameters()}
        arrays |= before if weights else {}
        infos = (*(info for info in of_parameters(model) if info.name in arrays), LOSS)
        sink.write(
            SavedStep(
                step=step,
                mode="TRAIN",
                mode_step=step,
                tensors=infos,
                arrays=arrays,
                scalars={LOSS.name: loss.item() + step},
                facts=Facts(training=True, grad_enabled=True, backward=True, optimizer_steps=step),
            )
        )
        optimizer.step()
    sink.close({"GLOBAL": _STEPS - 1, "TRAIN": _STEPS - 1})
    return sum(torch.Size(info.shape).numel() for info in infos if info is not LOSS), len(infos) - 1


LOSS = TensorInfo(
    name="CrossEntropyLoss_output_0",
    kind="loss",
    module_type="CrossEntropyLoss",
    saved="scalar",
    collections=("losses",),
)


def of_parameters(model: torch.nn.Module) -> Iterator[TensorInfo]:
    types = {path: type(module).__name__ for path, module in model.named_modules()}
    for name, value in model.named_parameters():
        module, _, last = name.rpartition(".")
        shared = {"module": module, "module_type": types[module], "shape": tuple(value.shape)}
        kind, collection = ("weight", "weights") if last == "weight" else ("bias", "biases")
        yield TensorInfo(name=f"ResNet_{name}", kind=kind, collections=(collection,), **shared)
        yield TensorInfo(name=f"gradient/ResNet_{name}", kind="gradient", collections=("gradients",), **shared)


def described(model: torch.nn.Module) -> Model:
    modules = tuple(ModuleInfo(path, type(module).__name__) for path, module in model.named_modules())
    parameters = tuple(
        ParameterInfo(name=f"ResNet_{name}", module=name.rpartition(".")[0], shape=tuple(value.shape), optimized=True)
        for name, value in model.named_parameters()
    )
    optimizers = (OptimizerInfo(type="SGD", learning_rates=(1e-3,), parameters=len(parameters)),)
    return Model(root="ResNet", modules=modules, parameters=parameters, optimizers=optimizers)


def measure(folder: str) -> dict[str, float]:
    """Seconds of opening the trial and of each rule, in the registry's order, over one step."""
    rules = [build(name) for name in RULES if name != "SimilarAcrossRuns"]
    started = time.perf_counter()
    trial = Trial(open_source(folder))
    trial.dynamic_refresh = False
    times = {"(open the trial)": time.perf_counter() - started}
    for rule in rules:
        started = time.perf_counter()
        list(rule.findings(trial, _JUDGED))
        times[rule.name] = time.perf_counter() - started
    return times


def one_pass(folder: str) -> float:
    """Seconds of reading the step and adding it up."""
    trial = Trial(open_source(folder))
    started = time.perf_counter()
    for info in trial.infos(_JUDGED):
        if info.saved == "array":
            trial.source.read("worker_0", _JUDGED, info.name).sum()
    return time.perf_counter() - started


def report(rounds: list[dict[str, float]], floor: float, elements: int, tensors: int, weights: bool) -> None:
    times = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    total = statistics.median(sum(each.values()) for each in rounds)
    what = "gradients and weights" if weights else "gradients"
    print(f"ResNet-50, {what}: {tensors} tensors, {elements / 1e6:.1f} million elements, {len(times) - 1} rules")
    for name, seconds in times.items():
        print(f"{name:<28}{1000 * seconds:9.2f} ms")
    print(f"{'together':<28}{1000 * total:9.2f} ms")
    print(f"{'floor: read and add up':<28}{1000 * floor:9.2f} ms   {total / floor:.1f} times")
    rounded = {name: round(seconds, 5) for name, seconds in times.items()}
    row = {"benchmark": "rules_step", "saved": what, "elements": elements, "tensors": tensors, "rules": rounded}
    row |= {"seconds": round(total, 4), "floor_s": round(floor, 4), "target_s": _TARGET_S, "met": total < _TARGET_S}
    print(json.dumps(row))


if __name__ == "__main__":
    main()
