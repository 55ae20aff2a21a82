"""What torch.profiler saw in its window, summed over processes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from sagehound.profile.findings.samples import cores, grid, numbers, series
from sagehound.profile.findings.steps import Steps, every_process
from sagehound.profile.profile import Profile

#: Why a rule over operators has nothing to judge.
NONE_SEEN = (
    "no operators were recorded; ask for some steps of them: "
    "ProfilerConfig(framework_profile_params=FrameworkProfile(start_step=10, num_steps=10))"
)
#: torch's mark around waiting for a batch, which is no operator.
_LOADER = "enumerate(DataLoader)"
#: Products of matrices and convolutions, as torch names them on CPU and CUDA.
CONVOLUTIONS = ("conv",)
PRODUCTS = (*CONVOLUTIONS, "addmm", "aten::mm", "bmm", "matmul", "linear", "gemm", "attention")
#: From so many percent of the cores in use on, calls wait for a core; of a job's share at least so much is taken.
_FULL_PERCENT, _LEAST_PERCENT = 80.0, 1.0


@dataclass(frozen=True)
class Operator:
    """One operator on one device, as the window saw it: calls, and seconds without and with what it calls."""

    name: str
    device: str
    calls: int
    self_s: float
    total_s: float


def operators(profile: Profile, device: str = "") -> list[Operator]:
    """The operators, those that took most first; of one device alone where it is given."""
    rows = profile.operators
    if device:
        rows = rows.filter(pc.fill_null(pc.equal(rows["device"], device), False))
    found: dict[tuple[str, str], Operator] = {}
    columns = [np.nan_to_num(numbers(rows, name)).tolist() for name in ("calls", "self_s", "total_s")]
    names, devices = rows["name"].to_pylist(), rows["device"].to_pylist()
    for name, where, calls, own, total in zip(names, devices, *columns, strict=True):
        if (name or "").startswith(_LOADER):
            continue
        before = found.get((name or "", where or ""), Operator(name or "", where or "", 0, 0.0, 0.0))
        added = (before.calls + max(0, int(calls)), before.self_s + max(0.0, own), before.total_s + max(0.0, total))
        found[before.name, before.device] = Operator(before.name, before.device, *added)
    return sorted(found.values(), key=lambda each: -each.self_s)


def steps_seen(profile: Profile) -> int:
    """How many steps of all processes began within a window of torch.profiler; 0 where windows are not known."""
    timeline = profile.timeline
    chosen = pc.and_(pc.equal(timeline["category"], "window"), pc.equal(timeline["name"], "detailed"))
    windows = timeline.filter(pc.fill_null(chosen, False))
    begins, lasted = numbers(windows, "start_s"), numbers(windows, "duration_s")
    pids, count = windows["pid"].to_pylist(), 0
    for steps in every_process(profile):
        own = [place for place, pid in enumerate(pids) if pid == steps.pid]
        for begin, end in {(begins[place], begins[place] + lasted[place]) for place in own}:
            count += int(((steps.starts >= begin) & (steps.starts < end)).sum())
    return count


def named(seen: list[Operator], parts: tuple[str, ...]) -> list[Operator]:
    """Those whose name has one of the parts."""
    return [each for each in seen if any(part in each.name for part in parts)]


def large(profile: Profile, steps: Steps, some: list[Operator], call_s: float = 50e-6) -> list[Operator]:
    """Those that take at least so long a call, on average: starting the others costs as much as they do. Times are by
    the clock; on cores that others filled during the steps, a call has to take as many times as long."""
    least_s = call_s * _slowdown(profile, steps)
    return [each for each in some if each.self_s >= each.calls * least_s]


def _slowdown(profile: Profile, steps: Steps) -> float:
    """How many times as long the job may have taken as alone: all that was used of the node's cores over its own share
    of that. 1 where the cores were not full, or nothing was sampled."""
    table, own = cores(profile).get(steps.node), series(profile, "CPUUtilization").get((steps.node, "job"))
    if table is None or own is None:
        return 1.0
    used, ours = (course.between(steps.from_s, steps.to_s).mean() for course in (table, grid([own])))
    if not len(used) or not len(ours) or used.mean() < _FULL_PERCENT:
        return 1.0
    return max(1.0, float(used.mean()) / max(float(ours.mean()), _LEAST_PERCENT))


def share(some: list[Operator], of: list[Operator]) -> float:
    """Of the time that operators took themselves, between 0 and 1."""
    whole = sum(each.self_s for each in of)
    return sum(each.self_s for each in some) / whole if whole > 0 else 0.0
