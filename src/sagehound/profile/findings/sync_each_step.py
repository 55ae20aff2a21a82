"""The device is waited for in each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.job_span import said
from sagehound.profile.findings.operators import NONE_SEEN, Operator, named, operators
from sagehound.profile.findings.steps import Steps, slowest
from sagehound.profile.profile import Profile

_SYNCS = ("aten::item", "_local_scalar_dense", "aten::is_nonzero", "aten::nonzero", "Synchronize")


@dataclass(frozen=True)
class SyncEachStep:
    """Reading numbers off tensors (`.item()`, `float(loss)`, `if tensor:`) takes more than `threshold` percent of the
    time that the process spent in operators.

    On a GPU each read waits for all that was queued, and the queue is empty after it; in the profile that waiting is
    the own time of aten::item, aten::_local_scalar_dense and the runtime's synchronisations on the CPU's side. On a CPU
    there is no queue: a read takes about a microsecond, so that only very many of them come to the threshold, and then
    they are a loss there too. Source: PyTorch's performance tuning guide ("Avoid unnecessary CPU-GPU synchronization").
    Judged over the window of torch.profiler, from `min_calls` reads on.

    Estimate: the reads' share of the steps' time without their loader. On a GPU it is at most that: part of it is work
    that has to be done anyway, and would then be waited for once. On a CPU Python's loop around the reads comes on top.
    """

    threshold: float = 5
    min_calls: int = 10

    name: ClassVar[str] = "SyncEachStep"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"threshold": (0, 100)}

    def judge(self, profile: Profile) -> Verdict:
        seen, steps = operators(profile, "cpu"), slowest(profile)
        whole = sum(each.self_s for each in seen)
        if not whole or steps is None:
            reason = "no training steps were seen" if whole else NONE_SEEN
            return Verdict(rule=self.name, parameters=asdict(self), unable=reason)
        syncs = named(seen, _SYNCS)
        calls = max((each.calls for each in syncs), default=0)
        part = sum(each.self_s for each in syncs) / whole
        fires = 100 * part > self.threshold and calls >= self.min_calls
        return Verdict(
            rule=self.name,
            findings=(self._finding(profile, syncs, steps, calls, part),) if fires else (),
            violations=calls if fires else 0,
            datapoints=sum(each.calls for each in seen),
            parameters=asdict(self),
            details={"reads": calls, "share_percent": 100 * part},
        )

    def _finding(self, profile: Profile, syncs: list[Operator], steps: Steps, calls: int, part: float) -> Finding:
        gpu = said(profile, "device").startswith("cuda")
        spent_s = steps.total_s - float(steps.phases["loader"].sum())
        return Finding(
            rule=self.name,
            message=f"{calls} reads of single numbers in the profiled steps take {100 * part:.0f} % of the operators' "
            "time: each waits for all that was asked of the device.",
            change="Add up on the device, and read every hundredth step.",
            code="total += loss.detach()  # and only every 100 steps: print(total.item())",
            evidence={"reads": calls, "share_percent": 100 * part},
            from_s=steps.from_s,
            to_s=steps.to_s,
            operators=tuple(each.name for each in syncs[:5]),
            gain_s=spent_s * part,
            estimate=f"{'at most: ' if gpu else ''}{100 * part:.0f} % of {spent_s:.1f} s of steps"
            + (", for part of it is work that is waited for in any case" if gpu else ""),
        )
