"""More threads than cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.job_span import fact
from sagehound.profile.findings.steps import Steps, at_once, every_process
from sagehound.profile.profile import Profile

#: What each thread beyond the cores costs, as a share of the step at as many threads as cores.
_COST_PER_EXTRA = 0.5
#: From here on more threads make it no worse.
_MOST_RATIO = 3.0


@dataclass(frozen=True)
class ThreadsOversubscribed:
    """The training's processes on one node run more threads together (torch's threads times processes) than the job may
    use, or the machine has cores, by more than `threshold` percent.

    OpenMP's threads meet after each operator: one that has no core holds all others up. Source: PyTorch's performance
    tuning guide ("Utilize OpenMP"), and torchrun, which sets one thread a process for this reason. Facts, not samples,
    are judged, so it does not take long to tell; `min_compute_s` of forward, backward and optimizer are asked for.

    Estimate: with n threads a core a step takes 1 + 0.5 (n - 1) times as long, n counted up to 3: the middle of a wide
    range, for what is lost depends on how often threads meet, which nothing here measures. On two cores, twice the
    threads took 2.0 times as long for a small convolutional network and as long as before for a large fully connected
    one, four times the threads 3 to 4 times for another small one, eight times 2.8 and 1.6 times
    (benchmarks/profiler_findings.py measures it anew).
    """

    threshold: float = 100
    min_compute_s: float = 1.0

    name: ClassVar[str] = "ThreadsOversubscribed"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"threshold": (1, 10**6)}

    def judge(self, profile: Profile) -> Verdict:
        threads, allowed = fact(profile, "torch_threads"), profile.job.threads or profile.job.cores
        steps = every_process(profile, "TRAIN")
        if threads is None or not allowed or not steps:
            missing = "the threads of the training" if threads is None else "cores" if not allowed else "training steps"
            return Verdict(rule=self.name, parameters=asdict(self), unable=f"not known: {missing}")
        most = at_once(steps)
        running = threads * most
        slow = max(steps, key=_compute_s)
        fires = running > allowed * self.threshold / 100 and _compute_s(slow) >= self.min_compute_s
        return Verdict(
            rule=self.name,
            findings=(self._finding(slow, threads, most, allowed),) if fires else (),
            violations=int(fires),
            datapoints=sum(len(each) for each in steps),
            parameters=asdict(self),
            details={"torch_threads": threads, "processes": most, "allowed": allowed},
        )

    def _finding(self, steps: Steps, threads: float, processes: int, allowed: int) -> Finding:
        ratio, each = threads * processes / allowed, max(1, allowed // processes)
        slower = 1 + _COST_PER_EXTRA * (min(ratio, _MOST_RATIO) - 1)
        compute_s = _compute_s(steps)
        together = f" in each of {processes} processes" if processes > 1 else ""
        return Finding(
            rule=self.name,
            message=f"{threads:g} threads{together} share {allowed} cores: each operator waits for threads that have "
            "none.",
            change="As many threads as cores, in all processes together.",
            code=f"torch.set_num_threads({each})  # or OMP_NUM_THREADS={each} in the job's environment",
            evidence={"torch_threads": threads, "processes": processes, "cores": allowed, "compute_s": compute_s},
            from_s=steps.from_s,
            to_s=steps.to_s,
            gain_s=compute_s * (1 - 1 / slower),
            estimate=f"{compute_s:.1f} s of computing, taken to be {slower:.2g} times as long with {ratio:.2g} threads "
            "a core (measured: between as long as before and 4 times; the smaller the operators, the longer)",
        )


def _compute_s(steps: Steps) -> float:
    known = sum(float(steps.phases[name].sum()) for name in ("forward", "backward", "optimizer"))
    return known or steps.total_s - float(steps.phases["loader"].sum())
