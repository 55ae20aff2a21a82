"""A training that is long in coming to its first step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.job_span import span
from sagehound.profile.findings.steps import every_process
from sagehound.profile.profile import Profile


@dataclass(frozen=True)
class MaxInitializationTime:
    """The first step comes more than `threshold` minutes after the job's start, or has not come by then.

    Default: AWS's guide, and its package. `scan_interval_us` is taken and has no effect. A job in which no step was
    ever timed (no framework metrics, or no training in it) says so and has no finding. Gain: what is over the
    threshold.
    """

    threshold: float = 20
    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "MaxInitializationTime"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"threshold": (0, 10**6)}

    def judge(self, profile: Profile) -> Verdict:
        begin, end = span(profile)
        steps = every_process(profile)
        first = min((each.from_s for each in steps), default=None)
        details: dict[str, Any] = {"job_start": begin, "job_end": end, "step_num": {}}
        if first is not None:
            details["step_num"] = {"first": first * 1e6, "last": max(float(each.starts[-1]) for each in steps) * 1e6}
        waited_s = (end if first is None else first) - begin
        late = first is not None and waited_s > self.threshold * 60
        return Verdict(
            rule=self.name,
            findings=(self._finding(begin, waited_s),) if late else (),
            violations=int(late),
            datapoints=sum(len(each) for each in steps),
            parameters=asdict(self),
            details=details,
            unable="" if steps else f"no steps were seen in {waited_s:.0f} s: were framework metrics asked for?",
        )

    def _finding(self, begin: float, waited_s: float) -> Finding:
        return Finding(
            rule=self.name,
            message=f"The first step came {waited_s / 60:.1f} minutes after the job's start, later than the "
            f"{self.threshold:g} minutes that are allowed.",
            change="Let the data come while the training runs, instead of before it.",
            code='TrainingInput(s3_uri, input_mode="FastFile")',
            evidence={"minutes": waited_s / 60, "threshold_minutes": self.threshold},
            from_s=begin,
            to_s=begin + waited_s,
            gain_s=waited_s - self.threshold * 60,
            estimate="what the beginning took beyond the threshold",
        )
