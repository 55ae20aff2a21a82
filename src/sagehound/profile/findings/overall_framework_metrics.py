"""Where a training's time went; never fires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from sagehound.profile.finding import Verdict
from sagehound.profile.findings.operators import operators
from sagehound.profile.findings.steps import Steps, every_process
from sagehound.profile.profile import Profile

#: Operators that took less than this share are left out, as in AWS's report.
_LEAST_PERCENT = 2


@dataclass(frozen=True)
class OverallFrameworkMetrics:
    """Shares in percent: training, evaluation and the time between steps (`phase`; `phase_time` in seconds), the
    phases of all steps (`general`), forward against backward, CPU against GPU operators (`ratio`), and each operator.

    Never fires, as documented. `scan_interval_us` is taken and has no effect.
    """

    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "OverallFrameworkMetrics"

    def judge(self, profile: Profile) -> Verdict:
        steps = every_process(profile)
        details: dict[str, Any] = {}
        if steps:
            times = _times(steps)
            general = {name: sum(float(each.phases[name].sum()) for each in steps) for name in steps[0].phases}
            both = {f"{way.capitalize()} pass": general[way] for way in ("forward", "backward")}
            details = {"phase": _percent(times), "phase_time": times, "general": _percent(general)}
            details["forward_backward"] = _percent(both)
        details |= _of_operators(profile)
        return Verdict(
            rule=self.name,
            datapoints=sum(len(each) for each in steps),
            parameters=asdict(self),
            details=details,
            unable="" if details else "neither steps nor operators were seen: were framework metrics asked for?",
        )


def _times(steps: list[Steps]) -> dict[str, float]:
    """Of the processes together, by the documented names of the phases."""
    times: dict[str, float] = {}
    for each in steps:
        name = f"Step:ModeKeys.{each.mode}"
        times[name] = times.get(name, 0.0) + each.total_s
    others = 0.0
    for key in {(each.node, each.pid) for each in steps}:
        own = [each for each in steps if (each.node, each.pid) == key]
        whole = max(each.to_s for each in own) - min(each.from_s for each in own)
        others += max(0.0, whole - sum(each.total_s for each in own))
    return {**times, "others": others}


def _of_operators(profile: Profile) -> dict[str, Any]:
    found: dict[str, Any] = {}
    totals: dict[str, float] = {}
    for label, device in (("CPU", "cpu"), ("GPU", "cuda")):
        seen = {each.name: each.self_s for each in operators(profile, device)}
        shares = {name: share for name, share in _percent(seen).items() if share > _LEAST_PERCENT}
        if shares:
            found[label] = _percent(shares)
            found[f"{label}_total"] = {name: seen[name] for name in shares}
            totals[f"{label}_operators"] = sum(seen.values())
    return {"ratio": _percent(totals), **found} if totals else {}


def _percent(times: Mapping[str, float]) -> dict[str, float]:
    whole = sum(times.values())
    return {name: 100 * each / whole for name, each in times.items()} if whole > 0 else {}
