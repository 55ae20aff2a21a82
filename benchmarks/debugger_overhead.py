"""What saving tensors costs a training, and what the original smdebug took for the same.

    python benchmarks/debugger_overhead.py [--rounds 150] [--resnet-rounds 2] [--without-original] [CASE ...]

Paired: a hooked model and its unhooked twin take turns in one process, one thread: ten steps each, the first of which
is saved; where nothing is saved, one step each. Which of the two comes first is drawn anew for every pair. Processor
time of the training thread: `cpu` is 1 and the median of the pairs' differences over the median of the twin's, no pair
left out; `95 %` the interval of a bootstrap over the pairs. Two unhooked models differ by up to 0.01, as one lies
elsewhere in memory: the same pairs before there is a hook are measured first, and their median difference taken out
(its own uncertainty is in the interval). What other threads spent (the hook's writer) is added, shared out over the
rounds: the writer may gather several saves, so a median would not see it. Wall time is each model's own steps; the
writer may run beside either of them, so what it takes of the interpreter falls on both.

A second witness, which noise between models does not touch, is `direct`: in a run of its own, the processor time spent
between the entry and the exit of our callbacks, a hooked step, in microseconds (and `direct cpu`, that and the writer's
over the twin's). `twin` is the same within the steps of the twin: listeners to optimizers and functions are global.
What torch itself spends on calling them is not in it, nor the two extra Python calls of a functional loss.

Each case runs in processes of its own, and so does the original (smdebug 1.0.34 with one line patched, in an
environment of its own below ~/.cache, which is made at the first run; left out, with the reason, where that fails).
`floor` is the ratio of a debugger that did nothing but copy the bytes that were saved (or read them once, for
reductions) and write them to a file, at the speeds measured in the same process. Prints a table and a JSON line.

Learned (22 November 2026, two cores under a load of 7 to 10, so the pairs decide nothing: intervals of 0.03 to 0.15).
Within our callbacks, before and after steps that save nothing were made to be counted only, small facts to be counted
by NumPy, reductions to take fewer passes, and tensors that go from module to module to be written once, in
microseconds, the writer's beside: a step that saves nothing 98 and 22 to 30 (1.005); a save of losses 1,400 and 1,300
(1.02 to 1.03); losses, gradients and weights 1,750 + 840 and, at a higher load, 2,200 + 1,300; reductions 3,900 + 270
and 3,500 + 700 (1.07); everything 4,700 + 14,100 and 3,200 + 5,100 (1.14 of steps that the load made slower, 1.17 of
those measured before), 5.4 MB instead of 8.2. What is left at a save is Python that is in no cache after 50 ms of
convolutions: each call costs three to five times what it costs in a loop.
A quieter hour (23 November, load below 1, 80 rounds), ours and the original's: steps that save nothing 1.006 and 1.07;
losses undecided (by time within callbacks 1.025) and 1.14; losses, gradients and weights 1.04 and 1.20; reductions 1.11
and 1.51; everything 1.37 (floor 1.23) and 1.65, in wall time 1.12 and 1.51.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

INTERVAL = 10
NEVER = 10**9
_REQUIREMENTS = ("smdebug==1.0.34", "requests", "psutil", "pandas", "protobuf<3.21", "boto3")


@dataclass(frozen=True)
class Case:
    name: str
    target: float
    collections: tuple[str, ...] = ()
    reduced: bool = False
    interval: int = INTERVAL
    resnet: bool = False


_LGW = ("losses", "gradients", "weights")
CASES = {
    "losses": Case("losses", 1.01, ("losses",)),
    "lgw": Case("losses, gradients, weights", 1.05, _LGW),
    "reductions": Case("the same as five reductions", 1.05, _LGW, reduced=True),
    "everything": Case("everything", 1.15),
    "nothing": Case("steps that save nothing", 1.005, interval=NEVER),
    "resnet18": Case("ResNet-18: losses, gradients, weights", 1.02, _LGW, resnet=True),
}


@dataclass(frozen=True)
class Cost:
    """One run of a case. Times are ms of a round (ten steps, or one where nothing is saved); `writer_ms` is what other
    threads spent of `extra_cpu_ms`, `saved_mb` the size of a save. `cpu_interval` holds `cpu` at 95 %."""

    cpu: float
    wall: float
    cpu_interval: tuple[float, float]
    extra_cpu_ms: float
    writer_ms: float
    twin_cpu_ms: float
    saved_mb: float
    floor: float


@dataclass(frozen=True)
class Direct:
    """Processor time within our callbacks: microseconds a hooked step, and a step of its unhooked twin. `writer_us` is
    what other threads spent a step, `ratio` all of that over the twin's step."""

    hooked_us: float
    twin_us: float
    writer_us: float
    ratio: float


# The pair, in a process of its own


def measure(case: Case, library: str, rounds: int, size: int) -> Cost:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    twin = _steps(case, size)[0]
    with tempfile.TemporaryDirectory() as parent:
        hooked, model, criterion = _steps(case, size)
        length = 1 if case.interval == NEVER else INTERVAL
        rounds *= INTERVAL // length
        warm_up = 1 if case.resnet else 3 * INTERVAL
        order = random.Random(0)
        # ResNet-18's rounds take half a minute: those that show the difference between two models would double it.
        before = [] if case.resnet else _pairs(hooked, twin, length, rounds, order)
        hook = None if library == "none" else _hook(library, case, f"{parent}/tensors")
        if hook is not None:
            hook.register_module(model)
            hook.register_loss(criterion)
        _spent(hooked, warm_up)
        _spent(twin, warm_up)
        others = time.process_time() - time.thread_time()
        pairs = _pairs(hooked, twin, length, rounds, order)
        if hook is not None:
            hook.close()
        writer_ms = (time.process_time() - time.thread_time() - others) * 1e3 / rounds
        saves = math.ceil((warm_up + rounds * length) / case.interval)
        saved_bytes = sum(f.stat().st_size for f in Path(parent).rglob("*") if f.is_file()) / saves
        floor_ms = 0.0 if case.interval == NEVER else _floor_ms(_bytes(case, model, saved_bytes), case.reduced, parent)
    cpu, wall = _column(pairs, 1), _column(pairs, 0)
    bias = _column(before, 1) if before else np.zeros((1, 2))
    own_ms = float(np.median(cpu[:, 1]))
    extra_ms = _extra(cpu, bias) + writer_ms
    return Cost(
        cpu=round(1 + extra_ms / own_ms, 4),
        wall=round(1 + _extra(wall, _column(before, 0) if before else np.zeros((1, 2))) / np.median(wall[:, 1]), 4),
        cpu_interval=_interval(cpu, bias, writer_ms),
        extra_cpu_ms=round(extra_ms, 3),
        writer_ms=round(writer_ms, 3),
        twin_cpu_ms=round(own_ms, 2),
        saved_mb=round(saved_bytes / 1e6, 3),
        floor=round(1 + floor_ms / own_ms, 4),
    )


_Pair = tuple[tuple[float, float], tuple[float, float]]


def _pairs(
    hooked: Callable[[], None], twin: Callable[[], None], steps: int, rounds: int, order: random.Random
) -> list[_Pair]:
    """Wall and processor ms of the hooked model and of the twin, each time in an order drawn anew."""
    found = []
    for _ in range(rounds):
        if order.random() < 0.5:
            first = _spent(hooked, steps)
            found.append((first, _spent(twin, steps)))
        else:
            first = _spent(twin, steps)
            found.append((_spent(hooked, steps), first))
    return found


def _column(pairs: list[_Pair], which: int) -> np.ndarray:
    """One of the two times, as an array of (rounds, 2): hooked, twin."""
    return np.array([(one[which], other[which]) for one, other in pairs])


def _extra(times: np.ndarray, bias: np.ndarray) -> float:
    return float(np.median(times[:, 0] - times[:, 1]) - np.median(bias[:, 0] - bias[:, 1]))


def _interval(times: np.ndarray, bias: np.ndarray, writer_ms: float) -> tuple[float, float]:
    """The percentile bootstrap of Efron 1979, over pairs."""
    draw = np.random.default_rng(0)
    found = []
    for _ in range(1000):
        some = times[draw.integers(len(times), size=len(times))]
        other = bias[draw.integers(len(bias), size=len(bias))]
        found.append(1 + (_extra(some, other) + writer_ms) / np.median(some[:, 1]))
    low, high = np.percentile(found, [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


# Within our callbacks, in a process of its own

#: Where torch calls us.
_EDGES = {
    "root": {"_Call": ("__call__",)},
    "loss_watch": {"LossWatch": ("enter", "leave", "_heard"), "GradientWatch": ("save",)},
    "optimizers": {"Optimizers": ("_before", "_after")},
    "watched_modules": {"_Inputs": ("__call__",), "_Outputs": ("__call__",)},
    "arming": {"Arming": ("_forward_ended",)},
    "step_facts": {"StepFacts": ("backward",)},
}


class _Within:
    """Adds up the processor time between the entry and the exit of the outermost of the functions it stands around,
    less what reading the clock takes."""

    def __init__(self) -> None:
        self.spent_s = 0.0
        self._inside = False
        reads = [time.thread_time() for _ in range(1001)]
        self._clock_s = (reads[-1] - reads[0]) / 1000

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._inside:
                return function(*args, **kwargs)
            self._inside, start = True, time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.spent_s += time.thread_time() - start - self._clock_s
                self._inside = False

        return timed


def direct(case: Case, rounds: int, size: int) -> Direct:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    within = _Within()
    for module, classes in _EDGES.items():
        for name, methods in classes.items():
            edge = getattr(importlib.import_module(f"sagehound.debug.recording.{module}"), name)
            for method in methods:
                setattr(edge, method, within.around(getattr(edge, method)))
    spent, own, twins = [0.0, 0.0], 0.0, _steps(case, size)[0]
    with tempfile.TemporaryDirectory() as parent:
        hooked, model, criterion = _steps(case, size)
        hook = _hook("sagehound", case, f"{parent}/tensors")
        hook.register_module(model)
        hook.register_loss(criterion)
        _spent(hooked, 1 if case.resnet else 3 * INTERVAL)
        _spent(twins, 1)
        others = time.process_time() - time.thread_time()
        for _ in range(rounds):
            for which, step in enumerate((hooked, twins)):
                before = within.spent_s
                own += _spent(step, INTERVAL)[1] * which
                spent[which] += within.spent_s - before
        hook.close()
        writer_s = time.process_time() - time.thread_time() - others
    hooked_us, twin_us, writer_us = (each * 1e6 / rounds / INTERVAL for each in (*spent, writer_s))
    step_us = own * 1e3 / rounds / INTERVAL - twin_us
    ratio = 1 + (hooked_us + writer_us) / step_us
    return Direct(round(hooked_us, 1), round(twin_us, 1), round(writer_us, 1), round(ratio, 4))


def _spent(step: Callable[[], None], steps: int) -> tuple[float, float]:
    """Wall ms, and processor ms of this thread."""
    wall, cpu = time.perf_counter(), time.thread_time()
    for _ in range(steps):
        step()
    return (time.perf_counter() - wall) * 1e3, (time.thread_time() - cpu) * 1e3


def _steps(case: Case, size: int) -> tuple[Callable[[], None], Any, Any]:
    """One step of a training, its model and its loss."""
    if case.resnet:
        model, inputs = resnet18(), torch.randn(32, 3, size, size)
    else:
        body = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()]
        head = [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Linear(128, 10)]
        model, inputs = nn.Sequential(*body, *head), torch.randn(16, 1, 28, 28)
    labels = torch.randint(10, (len(inputs),))
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(inputs), labels).backward()
        optimizer.step()

    return step, model, criterion


class _Block(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2015)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        shorter = [nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)]
        self.shortcut = nn.Sequential(*shorter) if stride > 1 else nn.Identity()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(inner + self.shortcut(x))


def resnet18() -> nn.Module:
    """ResNet-18 with 1000 classes, 11.7 million parameters; torchvision's cannot be imported in every environment."""
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    widths = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2)]
    blocks = [_Block(*width) for width in (*widths, (512, 512, 1))]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


def _hook(library: str, case: Case, folder: str) -> Any:
    """A hook of either library: their constructors are the same."""
    if library == "smdebug":
        from smdebug.pytorch import Hook, ReductionConfig, SaveConfig, modes
    else:
        from sagehound.debug.config.reduction_config import ReductionConfig
        from sagehound.debug.config.save_config import SaveConfig
        from sagehound.debug.hook import Hook
        from sagehound.debug.modes import modes

    five = ReductionConfig(reductions=["min", "max", "mean", "std"], norms=["l2"]) if case.reduced else None
    hook = Hook(
        out_dir=folder,
        save_config=SaveConfig(save_interval=case.interval),
        reduction_config=five,
        include_collections=list(case.collections) or None,
        save_all=not case.collections,
    )
    hook.set_mode(modes.TRAIN)
    return hook


def _bytes(case: Case, model: Any, saved_bytes: float) -> float:
    """What a save has to touch: what was written, or the weights and gradients that were reduced."""
    return 2 * sum(p.numel() * p.element_size() for p in model.parameters()) if case.reduced else saved_bytes


def _floor_ms(count: float, reduced: bool, folder: str) -> float:
    """ms to copy so many bytes and write them to a new file, or to read them once; the median of several times."""
    source = torch.randn(max(1, int(count) // 4))
    files = iter(range(NEVER))

    def touch() -> None:
        if reduced:
            source.sum()
        else:
            Path(folder, f"floor-{next(files)}").write_bytes(source.clone().numpy().data)

    return statistics.median(_spent(touch, 1)[1] for _ in range(20 if count < 1e8 else 5))


# The original, in an environment of its own


def original() -> Path:
    """The Python of an environment with the patched original and this environment's PyTorch; made where there is none.

    OSError or subprocess.CalledProcessError where it cannot be made.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagehound" / "benchmarks"
    folder = cache / f"smdebug-1.0.34-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_REQUIREMENTS]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
        for file in (packages / "smdebug").rglob("*.py"):
            text = file.read_text()
            if ".tostring()" in text:
                file.write_text(text.replace(".tostring()", ".tobytes()"))
        (folder / "ready").touch()
    # Last on the path: its own protobuf comes first.
    (packages / "torch-of-the-benchmark.pth").write_text(f"{Path(torch.__file__).parents[1]}\n")
    return python


def run(python: Path | str, case: str, library: str, rounds: int, size: int) -> dict[str, Any]:
    """One case in a process of its own: a Cost, or a Direct for the library "direct".
    subprocess.CalledProcessError with its stderr."""
    command = [str(python), __file__, "--child", case, library, str(rounds), str(size)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "SMDEBUG_LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=1800)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        name, library, rounds, size = sys.argv[2:]
        case = CASES[name]
        made = direct(case, int(rounds), int(size)) if library == "direct" else None
        print(json.dumps(asdict(made or measure(case, library, int(rounds), int(size)))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--rounds", type=int, default=150, help="of ten steps of the small CNN each")
    parser.add_argument("--resnet-rounds", type=int, default=2)
    parser.add_argument("--size", type=int, default=224, help="of ResNet-18's images")
    parser.add_argument("--without-original", action="store_true")
    arguments = parser.parse_args()
    peer = None if arguments.without_original else _original_or_none()
    rows = []
    print(f"{'saved every 10 steps':<39}{'target':>8}{'cpu':>8}{'95 %':>17}{'wall':>8}{'extra ms':>10}"
          f"{'writer':>8}{'floor':>8}{'MB':>8}"
          f"{'direct us':>11}{'cpu':>8}{'twin us':>9}{'smdebug cpu':>13}{'wall':>8}{'extra ms':>10}")  # fmt: skip
    for name in arguments.cases or CASES:
        case = CASES[name]
        rounds = arguments.resnet_rounds if case.resnet else arguments.rounds
        ours = Cost(**run(sys.executable, name, "sagehound", rounds, arguments.size))
        within = Direct(**run(sys.executable, name, "direct", max(1, rounds // 2), arguments.size))
        theirs = _try(peer, name, rounds, arguments.size) if peer else None
        rows.append({"case": case.name, "target": case.target, **asdict(ours), "direct": asdict(within)})
        rows[-1]["smdebug"] = asdict(theirs) if theirs else None
        print(_line(case, ours, within, theirs), flush=True)
    print(json.dumps({"benchmark": "debugger_overhead", "rows": rows}))


def _line(case: Case, ours: Cost, within: Direct, theirs: Cost | None) -> str:
    interval = "{:.3f}..{:.3f}".format(*ours.cpu_interval)
    text = f"{case.name:<39}{case.target:>8}{ours.cpu:>8.3f}{interval:>17}{ours.wall:>8.3f}{ours.extra_cpu_ms:>10.2f}"
    text += f"{ours.writer_ms:>8.2f}"
    text += f"{ours.floor:>8.3f}{ours.saved_mb:>8.2f}"
    text += f"{within.hooked_us:>11.0f}{within.ratio:>8.3f}{within.twin_us:>9.1f}"
    return text + (f"{theirs.cpu:>13.3f}{theirs.wall:>8.3f}{theirs.extra_cpu_ms:>10.2f}" if theirs else f"{'-':>13}")


def _original_or_none() -> Path | None:
    try:
        return original()
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        print(f"smdebug is left out, it could not be installed: {said.strip().splitlines()[-1]}", file=sys.stderr)
        return None


def _try(python: Path, case: str, rounds: int, size: int) -> Cost | None:
    try:
        return Cost(**run(python, case, "smdebug", rounds, size))
    except subprocess.SubprocessError as error:
        said = getattr(error, "stderr", None) or str(error)
        print(f"smdebug failed at {case}: {said.strip().splitlines()[-1]}", file=sys.stderr)
        return None


if __name__ == "__main__":
    main()
