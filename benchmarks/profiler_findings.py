"""Whether the profiler names what makes a training slow, and how near its estimate is.

    python benchmarks/profiler_findings.py [CASE ...]

Real trainings of some seconds, each with one fault planted. Each is profiled (all steps, ten of them with operators;
the machine sampled every 100 ms) and judged by all rules: `estimate` is the finding's gain. Then it is run as it was
and with what the finding suggests, in turns and without the profiler, `--rounds` times: `gain` is the median of what
the change saved, both in seconds. "at most" stands beside estimates that are bounds. A leak costs memory, not time:
there the MiB that the process grew are shown.

What was learned: gains are measured without the profiler, because reading a trace of many thousand operators takes
longer than the fault that is planted (on a CPU reading single numbers costs little: that case plants very many). And
the cases last several times as long as the rules ask for: first sized on a busy machine, a quiet one finished three of
them before they had lasted the seconds from which the rules speak. What a change costs once (bfloat16's kernels are
made when they are first used) hides its gain in a training of a second.

Estimate and gain on two quiet cores (26 November 2026): loaders 2.4 and 2.3 s, 2.2 and 2.1; tiny batches 1.0 and 1.0;
idle cores 2.4 and 2.5; bfloat16 2.2 and 2.2; first step at most 3.0 and 3.0; evaluation 0.7 and 0.7; channels first 0.3
and 0.5; threads 2.0 and 3.5 (the finding says that its range is wide). A sync in each step is overrated: 1.1 and 0.4.

Prints a table and a JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from sagehound.jobs.job_processes import JobProcesses
from sagehound.jobs.machine import Machine
from sagehound.jobs.samples import SampleFile
from sagehound.profile import profile_training
from sagehound.profile.finding import Finding
from sagehound.profile.findings.profiler_report import ProfilerReport
from sagehound.profile.findings.registry import build
from sagehound.profile.processor import bfloat16
from sagehound.profile.profile import JobFacts
from sagehound.profile.profile_folder import read_profile

_CORES = os.cpu_count() or 1
_INTERVAL_S = 0.1

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A fault: the rule that should name it, the training that has it, and what the finding's line changes in that."""

    rule: str
    planted: Settings
    change: Settings = field(default_factory=dict)


#: What a training is unless a case says otherwise.
_USUAL = {
    "model": "cnn",
    "images": 384,
    "batch": 16,
    "epochs": 2,
    "threads": _CORES,
    "allowed": _CORES,
    "workers": 0,
    "sleep_ms": 0.0,
    "autocast": False,
    "channels_last": True,
    "reads": 0,
    "leak": False,
    "prepare_s": 0.0,
    "evaluate": 0,
    "evaluate_every": 1,
    "profiled": True,
}
#: One thread, and allowed no more: what is planted elsewhere than in the threads shows on a busy machine too.
_ONE = {"threads": 1, "allowed": 1}
_SMALL = {"model": "small", "images": 4096, **_ONE}

CASES = {
    "slow loader": Case("LoaderBound", {**_SMALL, "images": 1024, "batch": 16, "sleep_ms": 2.0}),
    "one worker where two help": Case(
        "LoaderBound", {**_SMALL, "images": 1024, "batch": 16, "sleep_ms": 2.0, "workers": 1}
    ),
    "tiny batches": Case("TinyOperators", {"model": "deep", "images": 2048, "batch": 2, "epochs": 1, **_ONE}),
    "a sync in each step": Case(
        "SyncEachStep", {**_SMALL, "images": 4096, "batch": 16, "epochs": 2, "reads": 4000}, {"reads": 0}
    ),
    "threads oversubscribed": Case("ThreadsOversubscribed", {"threads": 4 * _CORES}, {"threads": _CORES}),
    "idle cores": Case("IdleCores", {"threads": 1, "epochs": 12}, {"threads": _CORES}),
    "float32 where bfloat16 is faster": Case(
        "Precision", {"model": "wide", "images": 12288, "batch": 256}, {"autocast": True}
    ),
    "channels first": Case("MemoryFormat", {"channels_last": False, "epochs": 6, **_ONE}, {"channels_last": True}),
    "memory leak": Case("MemoryGrowth", {"leak": True, "epochs": 12, **_ONE}, {"leak": False}),
    "huge first step": Case("FirstStep", {**_SMALL, "prepare_s": 3.0, "epochs": 4}, {"prepare_s": 0.0}),
    "long evaluation": Case("EvaluationShare", {"evaluate": 64, "epochs": 4, "images": 384, **_ONE}),
}


class Images(Dataset[tuple[torch.Tensor, int]]):
    """Photos that take a while to come, as from a disk."""

    def __init__(self, count: int, shape: Sequence[int], sleep_ms: float) -> None:
        self._count, self._shape, self._sleep_s = count, tuple(shape), sleep_ms / 1000

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        if self._sleep_s:
            time.sleep(self._sleep_s)
        return torch.full(self._shape, place % 7 / 7), place % 10


class Prepared(nn.Module):
    """A model that gets ready when it is first called."""

    def __init__(self, model: nn.Module, prepare_s: float) -> None:
        super().__init__()
        self.model, self._prepare_s = model, prepare_s

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        if self._prepare_s:
            until = time.perf_counter() + self._prepare_s
            while time.perf_counter() < until:
                torch.ones(64, 64).sum()
            self._prepare_s = 0.0
        return self.model(inputs)  # type: ignore[no-any-return]


def model_of(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """A model and the shape of its input."""
    if name == "small":
        return nn.Sequential(nn.Flatten(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)), (256,)
    if name == "deep":
        layers = [layer for _ in range(20) for layer in (nn.Linear(64, 64), nn.ReLU())]
        return nn.Sequential(*layers, nn.Linear(64, 10)), (64,)
    if name == "wide":
        return nn.Sequential(nn.Linear(1024, 2048), nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 10)), (
            1024,
        )
    stem = [nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()]
    body = [nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1)]
    return nn.Sequential(*stem, *body, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)), (3, 32, 32)


def train(settings: Settings, folder: Path) -> dict[str, float]:
    """One profiled training: when it started and ended, in seconds since the epoch, and how many MiB it grew."""
    given = {**_USUAL, **settings}
    torch.set_num_threads(given["threads"])
    torch.manual_seed(0)
    network, shape = model_of(given["model"])
    model: nn.Module = Prepared(network, given["prepare_s"])
    if given["channels_last"]:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    profiler = profile_training(folder, steps=10, start_step=10, stacks=False) if given["profiled"] else nullcontext()
    before, started = _resident_mib(), time.time()
    with profiler:
        _epochs(model, shape, given)
    return {"started_s": started, "ended_s": time.time(), "grown_mib": _resident_mib() - before}


def _epochs(model: nn.Module, shape: Sequence[int], given: Settings) -> None:
    workers = given["workers"]
    loader = DataLoader(
        Images(given["images"], shape, given["sleep_ms"]),
        batch_size=given["batch"],
        num_workers=workers,
        persistent_workers=workers > 0,
        prefetch_factor=4 if workers else None,
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    kept: list[torch.Tensor] = []
    for epoch in range(given["epochs"]):
        model.train()
        for inputs, labels in loader:
            if given["channels_last"] and inputs.dim() == 4:
                inputs = inputs.to(memory_format=torch.channels_last)
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=given["autocast"]):
                loss = nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            for _ in range(given["reads"]):
                loss.item()
            if given["leak"]:
                kept.append(model(inputs[:4]).sum())
        if given["evaluate"] and (epoch % given["evaluate_every"] == 0 or epoch == given["epochs"] - 1):
            _evaluate(model, shape, given)


def _evaluate(model: nn.Module, shape: Sequence[int], given: Settings) -> None:
    model.eval()
    held_out = DataLoader(Images(given["evaluate"] * given["batch"], shape, 0.0), batch_size=given["batch"])
    with torch.no_grad():
        for inputs, _ in held_out:
            model(inputs)


def _resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def run(settings: Settings, folder: Path) -> dict[str, float]:
    """Train in a process of its own, and sample the machine meanwhile."""
    result = folder / "result.json"
    pid = os.fork()
    if pid == 0:
        try:
            result.write_text(json.dumps(train(settings, folder)))
        except BaseException as error:  # noqa: BLE001 - a child must not go on as the benchmark
            print(f"the training failed: {error!r}", file=sys.stderr)
        sys.stdout.flush()
        os._exit(0)
    machine = Machine()
    list(machine.samples())
    below = JobProcesses(os.getpid(), _CORES, machine.memory_bytes)
    file = SampleFile(str(folder), "algo-1")
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        time.sleep(_INTERVAL_S)
        file.write([*machine.samples(), *below.samples()], time.time())
    file.close()
    return {**json.loads(result.read_text()), "memory_bytes": machine.memory_bytes}


def judge(settings: Settings, seen: Mapping[str, float], folder: Path) -> list[Finding]:
    """What all rules say of a training."""
    job = JobFacts(
        name="planted",
        status="Completed",
        started_s=seen["started_s"],
        ended_s=seen["ended_s"],
        cores=_CORES,
        threads={**_USUAL, **settings}["allowed"],
        memory_bytes=int(seen["memory_bytes"]),
        interval_ms=round(_INTERVAL_S * 1000),
        facts={"bf16": bfloat16()},
    )
    report = build("ProfilerReport")
    assert isinstance(report, ProfilerReport)
    return [finding for verdict in report.verdicts(read_profile(folder, job)) for finding in verdict.findings]


def changed(case: Case, found: Finding) -> Settings:
    """The training with what the finding's line says."""
    after = {**case.planted, **case.change}
    if case.rule == "LoaderBound":
        after["workers"] = int(found.evidence["suggested_workers"])
    if case.rule == "TinyOperators":
        after["batch"] = int(found.code.partition("batch_size=")[2].rstrip(")"))
    if case.rule == "EvaluationShare":
        after["evaluate_every"] = int(found.code.partition("epoch % ")[2].split()[0])
    return after


def gained(planted: Settings, after: Settings, rounds: int) -> dict[str, float]:
    """What the change saves: seconds, and the MiB that the process grew before and after; without the profiler."""
    saved, grown, grown_after = [], [], []
    for turn in range(rounds):
        seen = {}
        for key, settings in (("planted", planted), ("changed", after))[:: -1 if turn % 2 else 1]:
            with tempfile.TemporaryDirectory() as folder:
                seen[key] = run({**settings, "profiled": False}, Path(folder))
        saved.append(_took_s(seen["planted"]) - _took_s(seen["changed"]))
        grown.append(seen["planted"]["grown_mib"])
        grown_after.append(seen["changed"]["grown_mib"])
    medians = [statistics.median(each) for each in (saved, grown, grown_after)]
    return dict(zip(("gain_s", "grown_mib", "grown_mib_after"), medians, strict=True))


def _took_s(seen: Mapping[str, float]) -> float:
    return seen["ended_s"] - seen["started_s"]


def measured(name: str, rounds: int) -> dict[str, Any]:
    """A case's row."""
    case = CASES[name]
    row: dict[str, Any] = {"fault": name, "rule": case.rule}
    with tempfile.TemporaryDirectory() as root:
        seen = run(case.planted, Path(root))
        findings = judge(case.planted, seen, Path(root))
    named = [each for each in findings if each.rule == case.rule]
    others = sorted({each.rule for each in findings} - {case.rule})
    row |= {"named": bool(named), "also": others, "took_s": _took_s(seen)}
    if not named:
        return row
    row |= {"code": named[0].code, "estimate_s": named[0].gain_s, "at_most": "at most" in named[0].estimate}
    return row | gained(case.planted, changed(case, named[0]), rounds)


def line(row: Mapping[str, Any]) -> str:
    """A row of the table."""
    estimate = "-" if row.get("estimate_s") is None else f"{'<' if row['at_most'] else ''}{row['estimate_s']:.1f}"
    gain = f"{row['gain_s']:.1f}" if "gain_s" in row else "-"
    if row["rule"] == "MemoryGrowth" and row["named"]:
        estimate, gain = f"{row['grown_mib']:.0f} MiB", f"{row['grown_mib_after']:.0f} MiB"
    what = f"{row['fault']:<34}{row['rule']:<23}{'yes' if row['named'] else 'no':<7}"
    return f"{what}{row['took_s']:>7.1f}{estimate:>12}{gain:>9}  {', '.join(row['also'])}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of trainings that measure the gain")
    given = parser.parse_args()
    names = given.cases or list(CASES)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {_CORES} cores")
    print(f"{'fault':<34}{'rule':<23}{'named':<7}{'took':>7}{'estimate':>12}{'gain':>9}  also named", flush=True)
    rows = []
    for name in names:
        rows.append(measured(name, given.rounds))
        print(line(rows[-1]), flush=True)
    print(
        "\nseconds; '<' marks a bound, 'took' is with the profiler; of the leak: what memory grew, planted and changed"
    )
    for row in rows:
        print(f"  {row['fault']}: {row.get('code', 'not named')}")
    print(json.dumps({"profiler_findings": rows, "load": os.getloadavg()[0], "cores": _CORES}))


if __name__ == "__main__":
    main()
