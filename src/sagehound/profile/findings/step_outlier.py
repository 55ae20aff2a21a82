"""Steps that take far longer than the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from sagehound.errors import InvalidInput
from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.steps import Steps, every_process
from sagehound.profile.profile import Profile
from sagehound.profile.series import Floats

#: Steps of one process and mode below which a standard deviation says little; AWS's package waits for as many.
_FEWEST = 100
#: So many outliers are listed in a report's file.
_MOST_LISTED = 1000
#: What to do about the phase that took most of the outliers, and the line that does it.
_CHANGES = {
    "loader": (
        "The loader runs dry: read further ahead.",
        "DataLoader(dataset, num_workers=4, prefetch_factor=8, persistent_workers=True)",
    ),
    "copy": ("Copies hold the step up: pin memory and do not wait.", "batch = batch.to(device, non_blocking=True)"),
    "rest": ("Do less between steps: save, log or evaluate more rarely.", "if step % 500 == 0: save_checkpoint(model)"),
}
_OTHER = ("Pad batches to few sizes, so that kernels and memory are found ready.", "pad_sequence(batch)[:, :length]")


@dataclass(frozen=True)
class StepOutlier:
    """More than `n_outliers` steps of one process and mode took longer than the mean and `stddev` standard deviations.

    Judged from 100 steps on, without the first of each process. `mode` TRAIN or EVAL judges these alone. Defaults:
    AWS's guide (5 standard deviations; its package has 3). `scan_interval_us` is taken and has no effect. Gain: what
    the outliers took beyond the median step.
    """

    stddev: float = 5
    mode: str | None = None
    n_outliers: int = 10
    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "StepOutlier"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"stddev": (0.1, 1000)}

    def __post_init__(self) -> None:
        if self.mode is not None and self._mode not in ("TRAIN", "EVAL"):
            raise InvalidInput(f"the rule {self.name} cannot take mode={self.mode!r}: allowed are TRAIN and EVAL")

    @property
    def _mode(self) -> str | None:
        return self.mode.upper().rpartition(".")[2] if self.mode else None

    def judge(self, profile: Profile) -> Verdict:
        processes = every_process(profile, self._mode)
        judged = [each.after(1) for each in processes if len(each) > _FEWEST]
        found = [(steps, steps.durations > self._limit(steps.durations)) for steps in judged]
        fired = [(steps, steps.pick(out)) for steps, out in found if out.sum() > self.n_outliers]
        most = max((len(each) for each in processes), default=0)
        return Verdict(
            rule=self.name,
            findings=tuple(self._finding(steps, outliers) for steps, outliers in fired),
            violations=sum(len(outliers) for _, outliers in fired),
            datapoints=sum(len(each) for each in processes),
            parameters=asdict(self),
            details=_details(found),
            unable="" if judged else f"{most} steps of one mode are too few: more than {_FEWEST} are needed",
        )

    def _limit(self, durations: Floats) -> float:
        return float(durations.mean() + self.stddev * durations.std())

    def _finding(self, steps: Steps, outliers: Steps) -> Finding:
        median, phase = float(np.median(steps.durations)), outliers.dominant()
        change, code = _CHANGES.get(phase, _OTHER)
        lost = float((outliers.durations - median).sum())
        return Finding(
            rule=self.name,
            message=f"{len(outliers)} of {len(steps)} {steps.mode} steps on {steps.node} took "
            f"{float(np.median(outliers.durations)):.2g} s where {median:.2g} s is usual, most of it in '{phase}'.",
            change=change,
            code=code,
            evidence={
                "outliers": len(outliers),
                "median_s": median,
                "limit_s": self._limit(steps.durations),
                "longest_s": float(outliers.durations.max()),
                "phase": phase,
            },
            from_s=outliers.from_s,
            to_s=outliers.to_s,
            gain_s=lost,
            estimate=f"at most: each of the {len(outliers)} steps as long as the median one",
        )


def _details(found: list[tuple[Steps, np.ndarray]]) -> dict[str, Any]:
    """By node; where it has several processes or modes, of that with most outliers."""
    details: dict[str, Any] = {}
    for steps, out in sorted(found, key=lambda each: int(each[1].sum())):
        values = steps.durations
        shares = {"max": 1.0, "p99": 0.99, "p95": 0.95, "p50": 0.5, "min": 0.0}
        counts, edges = np.histogram(values[~out], bins=100)
        details[steps.node] = {
            "step_stats": {"mean": float(values.mean())}
            | {n: float(np.quantile(values, s)) for n, s in shares.items()},
            "number_of_outliers": int(out.sum()),
            "phase": f"Step:ModeKeys.{steps.mode}",
            "stddev": float(values.std()),
            "probs": counts.tolist(),
            "binedges": edges.tolist(),
            "outliers": values[out][:_MOST_LISTED].tolist(),
            "step_numbers": steps.numbers[out][:_MOST_LISTED].tolist(),
        }
    return details
