"""A made-up profile: what a job would have left, healthy or slow for a cause that is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from sagehound.profile.profile import JobFacts, Profile
from sagehound.profile.tables import CURVES, OPERATORS, SYSTEM, TIMELINE

#: The share of a step that each phase takes, in the order in which they come.
PHASES = {"loader": 0.04, "copy": 0.02, "forward": 0.28, "backward": 0.5, "optimizer": 0.1, "rest": 0.06}
#: Operators in the window: name -> share of the step's time, calls a step.
OPERATORS_SEEN = {"aten::convolution": (0.45, 8), "aten::addmm": (0.2, 6), "aten::relu": (0.05, 10)}
_MEMORY_BYTES = 16 << 30
#: Settings with nothing left on the table.
_FACTS: Mapping[str, str | float] = {
    "loader_workers": 2,
    "batch_size": 32,
    "autocast": "bfloat16",
    "memory_format": "channels_last",
}


@dataclass(frozen=True, kw_only=True)
class RecordedProfile:
    """One training and its machine: change a field and see what a rule makes of it. The same seed gives the same.

    Times are in seconds. `busy` is the utilisation of each core in percent while steps run (the last one goes for the
    cores behind it). `slow_steps` are steps that took so many times as long; every `eval_every`-th training step is
    followed by an evaluation of `eval_steps` steps.
    """

    seed: int = 0
    name: str = "recorded"
    nodes: tuple[str, ...] = ("algo-1",)
    start_s: float = 1_700_000_000.0
    interval_s: float = 0.5
    init_s: float = 5.0
    final_s: float = 2.0
    steps: int = 300
    step_s: float = 0.2
    jitter: float = 0.03
    phases: Mapping[str, float] = field(default_factory=lambda: dict(PHASES))
    slow_steps: Mapping[int, float] = field(default_factory=lambda: {0: 2.0})
    eval_every: int = 100
    eval_steps: int = 20
    cores: int = 4
    busy: tuple[float, ...] = (90.0,)
    iowait: float = 1.0
    memory: float = 30.0
    memory_growth_per_s: float = 0.0
    gpus: int = 0
    gpu: tuple[float, ...] = (92.0,)
    gpu_memory: float = 80.0
    gpu_memory_growth_per_s: float = 0.0
    operators: Mapping[str, tuple[float, int]] = field(default_factory=lambda: dict(OPERATORS_SEEN))
    facts: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def profile(self) -> Profile:
        """The profile as it is read."""
        timeline = self.timeline
        end_s = self._end_s(timeline)
        return Profile(
            job=JobFacts(
                name=self.name,
                status="Completed",
                instance_type="ml.g4dn.xlarge" if self.gpus else "ml.m5.xlarge",
                hosts=self.nodes,
                created_s=self.start_s - 1,
                started_s=self.start_s,
                ended_s=end_s,
                cores=self.cores,
                threads=self.cores,
                gpus=self.gpus,
                memory_bytes=_MEMORY_BYTES,
                interval_ms=round(self.interval_s * 1000),
                facts={**_FACTS, "torch_threads": self.cores, **self.facts},
            ),
            system=self._system(end_s),
            timeline=timeline,
            operators=self._operators(),
            curves=self._curves(timeline),
        )

    @property
    def timeline(self) -> pa.Table:
        """Steps and their phases, of every node."""
        rows = sorted((row for node in self.nodes for row in self._node_timeline(node)), key=lambda row: row[6])
        columns = zip(*rows, strict=True) if rows else ((),) * len(TIMELINE)
        arrays = [pa.array(list(c), type=f.type) for c, f in zip(columns, TIMELINE, strict=True)]
        return pa.table(arrays, schema=TIMELINE)

    def _node_timeline(self, node: str) -> Iterator[tuple[Any, ...]]:
        random = np.random.default_rng((self.seed, self.nodes.index(node)))
        pid, at_s, evaluated = 100 + self.nodes.index(node), self.start_s + self.init_s, 0
        for step in range(self.steps):
            last_s = self.step_s * self.slow_steps.get(step, 1.0) * (1 + self.jitter * random.standard_normal())
            yield from self._step(node, pid, "TRAIN", step, at_s, last_s)
            at_s += last_s
            if self.eval_every and (step + 1) % self.eval_every == 0:
                for _ in range(self.eval_steps):
                    last_s = self.step_s * 0.4 * (1 + self.jitter * random.standard_normal())
                    yield from self._step(node, pid, "EVAL", evaluated, at_s, last_s)
                    at_s, evaluated = at_s + last_s, evaluated + 1

    def _step(self, node: str, pid: int, mode: str, step: int, at_s: float, last_s: float) -> Iterator[tuple[Any, ...]]:
        yield node, pid, "step", "step", mode, step, _whole_us(at_s), _whole_us(last_s)
        phases = {n: s for n, s in self.phases.items() if mode == "TRAIN" or n not in ("backward", "optimizer")}
        whole = sum(phases.values())
        for name, share in phases.items():
            yield node, pid, "phase", name, mode, step, _whole_us(at_s), _whole_us(last_s * share / whole)
            at_s += last_s * share / whole

    def _end_s(self, timeline: pa.Table) -> float:
        if not timeline.num_rows:
            return self.start_s + self.init_s + self.final_s
        return float((timeline["start_s"].to_numpy() + timeline["duration_s"].to_numpy()).max()) + self.final_s

    def _system(self, end_s: float) -> pa.Table:
        at_s = np.arange(self.start_s, end_s, self.interval_s)
        running = (at_s >= self.start_s + self.init_s) & (at_s < end_s - self.final_s)
        series = [
            (node, dimension, name, values)
            for node in self.nodes
            for dimension, name, values in self._machine(node, at_s - self.start_s, running)
        ]
        columns = [np.tile(at_s, len(series))]
        columns += [np.repeat([each[place] for each in series], len(at_s)) for place in range(3)]
        columns += [np.concatenate([each[3] for each in series])]
        order = np.argsort(columns[0], kind="stable")
        return pa.table([c[order] for c in columns], names=SYSTEM.names).cast(SYSTEM)

    def _machine(self, node: str, since_s: np.ndarray, running: np.ndarray) -> Iterator[tuple[str, str, np.ndarray]]:
        random = np.random.default_rng((self.seed, 7, self.nodes.index(node)))

        def around(mean: float | np.ndarray, rest: float, noise: float = 3.0) -> np.ndarray:
            return np.clip(np.where(running, mean, rest) + noise * random.standard_normal(len(since_s)), 0, 100)

        for core in range(self.cores):
            yield "CPUUtilization", f"cpu{core}", around(self.busy[min(core, len(self.busy) - 1)], 8.0)
        mean = sum(self.busy[min(core, len(self.busy) - 1)] for core in range(self.cores)) / max(1, self.cores)
        yield "CPUUtilization", "job", around(mean, 4.0)
        memory = np.minimum(self.memory + self.memory_growth_per_s * since_s, 100)
        yield "MemoryUsedPercent", "machine", np.minimum(memory + 5, 100)
        yield "MemoryUsedPercent", "job", memory
        yield "I/OWaitPercentage", "machine", around(self.iowait, 0.5, 0.3)
        yield "NetworkReceivedBytesPerSecond", "machine", np.abs(2000 * random.standard_normal(len(since_s)))
        yield "DiskReadBytesPerSecond", "machine", np.abs(1e6 * random.standard_normal(len(since_s)))
        for gpu in range(self.gpus):
            yield "GPUUtilization", f"gpu{gpu}", around(self.gpu[min(gpu, len(self.gpu) - 1)], 0.0)
            grown = np.minimum(self.gpu_memory + self.gpu_memory_growth_per_s * since_s, 100)
            yield "GPUMemoryUtilization", f"gpu{gpu}", around(grown, 0.0, 0.5)

    def _operators(self) -> pa.Table:
        profiled = 10
        rows = [
            {
                "node": node,
                "name": name,
                "device": "cuda" if self.gpus else "cpu",
                "calls": calls * profiled,
                "self_s": share * self.step_s * profiled,
                "total_s": share * self.step_s * profiled * 1.1,
                "stack": "train.py(42): forward",
            }
            for node in self.nodes
            for name, (share, calls) in self.operators.items()
        ]
        return pa.Table.from_pylist(rows, schema=OPERATORS)

    def _curves(self, timeline: pa.Table) -> pa.Table:
        """A loss that falls, printed every tenth step."""
        steps = timeline.to_pylist()
        seen = [row for row in steps if row["category"] == "step" and row["mode"] == "TRAIN" and row["step"] % 10 == 0]
        rows = [
            {
                "timestamp_s": row["start_s"] + row["duration_s"],
                "name": "train:loss",
                "value": 2.3 * float(np.exp(-row["step"] / 150)) + 0.1,
            }
            for row in seen
            if row["node"] == self.nodes[0]
        ]
        return pa.Table.from_pylist(rows, schema=CURVES)


def _whole_us(time_s: float) -> float:
    """As a timeline's files have it."""
    return round(time_s * 1e6) / 1e6


def healthy(seed: int = 0) -> RecordedProfile:
    """A training on four busy cores, with nothing to find."""
    return RecordedProfile(seed=seed)


def loader_bound(seed: int = 0, share: float = 0.6) -> RecordedProfile:
    """Each step waits for its batch for `share` of its time, and the cores wait with it."""
    rest = {name: part * (1 - share) / (1 - PHASES["loader"]) for name, part in PHASES.items() if name != "loader"}
    return replace(healthy(seed), phases={"loader": share, **rest}, busy=(38.0,), facts={"loader_workers": 0})


def idle_cores(seed: int = 0) -> RecordedProfile:
    """Eight cores of which one works."""
    return replace(healthy(seed), cores=8, busy=(97.0, 3.0), facts={"torch_threads": 1})


def memory_growth(seed: int = 0, percent_per_s: float = 0.5) -> RecordedProfile:
    """The job's memory rises by so many percent of the machine's every second."""
    return replace(healthy(seed), memory_growth_per_s=percent_per_s)


def outlier_steps(seed: int = 0, factor: float = 12.0) -> RecordedProfile:
    """Twelve steps that took `factor` times as long."""
    return replace(healthy(seed), slow_steps={0: 2.0, **dict.fromkeys(range(20, 260, 20), factor)})


def slow_first_step(seed: int = 0, factor: float = 100.0) -> RecordedProfile:
    """A first step that compiles."""
    return replace(healthy(seed), slow_steps={0: factor}, facts={"compiled": "True"})


def healthy_gpu(seed: int = 0) -> RecordedProfile:
    """A training on one busy GPU."""
    return replace(healthy(seed), gpus=1, busy=(40.0,), facts={"device": "cuda"})


def low_gpu(seed: int = 0) -> RecordedProfile:
    """A GPU that waits for the cores."""
    return replace(healthy_gpu(seed), gpu=(6.0,), gpu_memory=15.0, busy=(97.0,))


def unbalanced_gpus(seed: int = 0) -> RecordedProfile:
    """Two GPUs of which one does the work."""
    return replace(healthy_gpu(seed), gpus=2, gpu=(95.0, 12.0))


def io_bound(seed: int = 0) -> RecordedProfile:
    """A GPU that waits for the disk."""
    return replace(healthy_gpu(seed), gpu=(5.0,), iowait=80.0, busy=(20.0,))


def gpu_memory_growth(seed: int = 0, percent_per_s: float = 0.6) -> RecordedProfile:
    """A GPU whose memory fills."""
    return replace(healthy_gpu(seed), gpu_memory=30.0, gpu_memory_growth_per_s=percent_per_s)
