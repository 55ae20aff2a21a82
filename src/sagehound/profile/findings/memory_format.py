"""Convolutions over images that are laid out channel by channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.job_span import said
from sagehound.profile.findings.operators import CONVOLUTIONS, NONE_SEEN, Operator, large, named, operators, share
from sagehound.profile.findings.steps import Steps, slowest
from sagehound.profile.profile import Profile

#: How much faster whole steps of such a network are, channels last.
_FASTER = {"cpu": 1.1, "cuda": 1.2}


@dataclass(frozen=True)
class MemoryFormat:
    """Convolutions take more than `threshold` percent of the operators' own time, and the model's weights are
    contiguous (the fact `memory_format` says so), not channels last.

    oneDNN and cuDNN compute channels last and reorder what comes otherwise. Source: PyTorch's tutorial "Channels Last
    Memory Format", and its performance tuning guide. 40 %, and `min_compute_s` seconds of computing, since the gain is
    small: judged over the window of torch.profiler.

    Estimate: the computing 1.1 times as fast on a CPU (whole steps were 1.05 to 1.16 times as fast as measured here,
    float32 and bfloat16: normalisations and activations win beside the convolutions), 1.2 times on a GPU (the
    tutorial's figures are for half precision).
    """

    threshold: float = 40
    min_compute_s: float = 1.0

    name: ClassVar[str] = "MemoryFormat"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"threshold": (0, 100)}

    def judge(self, profile: Profile) -> Verdict:
        seen, steps, layout = operators(profile), slowest(profile), said(profile, "memory_format")
        if not seen or steps is None or not layout:
            unknown = "no training steps were seen" if steps is None else "the model's memory format is not known"
            return Verdict(rule=self.name, parameters=asdict(self), unable=NONE_SEEN if not seen else unknown)
        convolutions = large(profile, steps, named(seen, CONVOLUTIONS))
        part, compute_s = share(convolutions, seen), _compute_s(steps)
        fires = "channels_last" not in layout and 100 * part > self.threshold and compute_s >= self.min_compute_s
        return Verdict(
            rule=self.name,
            findings=(self._finding(profile, convolutions, steps, part),) if fires else (),
            violations=int(fires),
            datapoints=sum(each.calls for each in seen),
            parameters=asdict(self),
            details={"convolutions_share_percent": 100 * part, "memory_format": layout},
        )

    def _finding(self, profile: Profile, convolutions: list[Operator], steps: Steps, part: float) -> Finding:
        device = "cuda" if said(profile, "device").startswith("cuda") else "cpu"
        faster, compute_s = _FASTER[device], _compute_s(steps)
        return Finding(
            rule=self.name,
            message=f"Convolutions take {100 * part:.0f} % of the operators' time, with weights in contiguous format.",
            change="Lay the model and its images out channels last; the results stay the same up to rounding.",
            code="model = model.to(memory_format=torch.channels_last); "
            "images = images.to(memory_format=torch.channels_last)",
            evidence={"convolutions_share_percent": 100 * part, "compute_s": compute_s},
            from_s=steps.from_s,
            to_s=steps.to_s,
            operators=tuple(each.name for each in convolutions[:5]),
            gain_s=compute_s * (1 - 1 / faster),
            estimate=f"{compute_s:.1f} s of computing, {faster:g} times as fast as a whole",
        )


def _compute_s(steps: Steps) -> float:
    known = sum(float(steps.phases[name].sum()) for name in ("forward", "backward"))
    return known or steps.total_s - float(steps.phases["loader"].sum())
