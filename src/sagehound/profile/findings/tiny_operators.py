"""Many operators with little to do in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.job_span import fact
from sagehound.profile.findings.operators import NONE_SEEN, Operator, operators, steps_seen
from sagehound.profile.findings.steps import Steps, slowest
from sagehound.profile.profile import Profile

#: What a call costs before it computes anything, in seconds: about 1 us of dispatch, 1 us of autograd.
_CALL_S = 2e-6
#: Something of a step is always computing.
_MOST_SHARE = 0.95
_LARGER = 8


@dataclass(frozen=True)
class TinyOperators:
    """More than `threshold` percent of a step goes into starting operators, not into computing.

    Of each operator, up to 2 us of its own time a call are taken to be its start (on this project's machine a product
    of a 1 x 16 with a 16 x 16 matrix takes 1.5 to 3.6 us, nearly all of it overhead). The starts of a profiled step are
    held against the median of all steps without their loader, since those of the window are slowed by being watched;
    where the window's steps are not known, against the operators' own time. Judged from `min_calls` calls on.
    Source: PyTorch's performance tuning guide ("Fuse operations", "Use larger batches").

    Estimate: with a batch 8 times as large there are as many starts for 8 times the samples; the rest of a step grows
    with the batch. The time is that of the training's steps without their loader.
    """

    threshold: float = 40
    min_calls: int = 1000

    name: ClassVar[str] = "TinyOperators"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"threshold": (0, 100)}

    def judge(self, profile: Profile) -> Verdict:
        seen, steps = [each for each in operators(profile, "cpu") if each.self_s > 0], slowest(profile)
        calls = sum(each.calls for each in seen)
        if calls < self.min_calls or not seen or steps is None:
            reason = f"{calls} calls of operators are too few: {self.min_calls} are needed" if seen else NONE_SEEN
            return Verdict(rule=self.name, datapoints=calls, parameters=asdict(self), unable=reason)
        share = _share(profile, seen, steps)
        fires = 100 * share > self.threshold
        return Verdict(
            rule=self.name,
            findings=(self._finding(profile, seen, steps, share),) if fires else (),
            violations=int(fires),
            datapoints=calls,
            parameters=asdict(self),
            details={"start_share_percent": 100 * share, "calls": calls},
        )

    def _finding(self, profile: Profile, seen: list[Operator], steps: Steps, share: float) -> Finding:
        calls, own_s = sum(each.calls for each in seen), sum(each.self_s for each in seen)
        size = fact(profile, "batch_size")
        spent_s = steps.total_s - float(steps.phases["loader"].sum())
        tiny = tuple(each.name for each in sorted(seen, key=_start_s, reverse=True)[:5])
        larger = f"{int(size * _LARGER)}" if size else f"{_LARGER} * batch_size"
        return Finding(
            rule=self.name,
            message=f"{calls} calls of operators took {1e6 * own_s / calls:.1f} us each: about {100 * share:.0f} % of "
            f"a step is starting them{f', with {size:g} samples a batch' if size else ''}.",
            change="A larger batch (and look at the learning rate again), or fewer operators: torch.compile, "
            "fused=True in the optimizer.",
            code=f"DataLoader(dataset, batch_size={larger})",
            evidence={
                "calls": calls,
                "mean_us": 1e6 * own_s / calls,
                "start_share_percent": 100 * share,
                "median_step_s": float(np.median(steps.durations)),
            },
            from_s=steps.from_s,
            to_s=steps.to_s,
            operators=tiny,
            gain_s=spent_s * share * (1 - 1 / _LARGER),
            estimate=f"{spent_s:.1f} s of steps, {100 * share:.0f} % of them starts, of which a batch {_LARGER} times "
            f"as large needs one in {_LARGER}",
        )


def _share(profile: Profile, seen: list[Operator], steps: Steps) -> float:
    starts_s, count = sum(map(_start_s, seen)), steps_seen(profile)
    usual_s = float(np.median(steps.durations - steps.phases["loader"]))
    whole_s = count * usual_s if count and usual_s > 0 else sum(each.self_s for each in seen)
    return min(_MOST_SHARE, starts_s / whole_s)


def _start_s(operator: Operator) -> float:
    return min(operator.self_s, operator.calls * _CALL_S)
