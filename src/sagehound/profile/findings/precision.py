"""Products of matrices in float32 on a processor that is faster with bfloat16."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.findings.job_span import said
from sagehound.profile.findings.operators import NONE_SEEN, PRODUCTS, Operator, large, named, operators, share
from sagehound.profile.findings.steps import Steps, slowest
from sagehound.profile.profile import Profile

#: How much faster products are, by what the processor has.
_FASTER = {"avx512_bf16": 1.8, "amx_bf16": 3.0, "cuda": 2.0}
_OFF = ("", "false", "none", "0", "no", "off")


@dataclass(frozen=True)
class Precision:
    """Products of matrices and convolutions take more than `threshold` percent of the operators' own time, in float32
    (no autocast was seen, nor weights of another type), where the processor has instructions for bfloat16.

    The fact `bf16` names them: "avx512_bf16", "amx_bf16" or "cuda"; without one there is nothing to gain, and where it
    is not known nothing is said. 30 %, in calls of at least 50 us, longer by as much as others slowed the job down on
    full cores: else the casts that autocast adds take up what it saves. Source: PyTorch's performance tuning guide
    ("Use mixed precision"), and its documentation of torch.amp for the CPU. Judged over the window of torch.profiler,
    where the training's steps take `min_compute_s` seconds.

    Estimate: the products' share of the computing, 1.8 times as fast with AVX512-BF16 (1.8 to 2.4 times for whole steps
    as measured here), 3 times with AMX, 2 times on a GPU.
    """

    threshold: float = 30
    min_compute_s: float = 1.0

    name: ClassVar[str] = "Precision"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"threshold": (0, 100)}

    def judge(self, profile: Profile) -> Verdict:
        seen, steps, unit = operators(profile), slowest(profile), said(profile, "bf16")
        if not seen or steps is None or unit not in _FASTER:
            fast = "it is not known whether this processor is faster with bfloat16" if not unit else "it is not faster"
            reason = NONE_SEEN if not seen else "no training steps were seen" if steps is None else fast
            return Verdict(rule=self.name, parameters=asdict(self), unable=reason)
        products = large(profile, steps, named(seen, PRODUCTS))
        part = share(products, seen)
        compute_s = _compute_s(steps)
        off = said(profile, "autocast") in _OFF and said(profile, "parameter_dtype") in ("", "float32")
        fires = off and 100 * part > self.threshold and compute_s >= self.min_compute_s
        return Verdict(
            rule=self.name,
            findings=(self._finding(profile, products, steps, part),) if fires else (),
            violations=int(fires),
            datapoints=sum(each.calls for each in seen),
            parameters=asdict(self),
            details={"products_share_percent": 100 * part, "bf16": unit, "autocast": said(profile, "autocast")},
        )

    def _finding(self, profile: Profile, products: list[Operator], steps: Steps, part: float) -> Finding:
        unit = said(profile, "bf16")
        device, faster, compute_s = "cuda" if unit == "cuda" else "cpu", _FASTER[unit], _compute_s(steps)
        return Finding(
            rule=self.name,
            message=f"{100 * part:.0f} % of the operators' time are products in float32, on a processor that has "
            f"bfloat16 ({unit}).",
            change="Compute the forward pass in bfloat16; weights and optimizer stay as they are. Compare the loss.",
            code=f'with torch.autocast("{device}", dtype=torch.bfloat16): loss = criterion(model(inputs), labels)',
            evidence={"products_share_percent": 100 * part, "compute_s": compute_s, "bf16": unit},
            from_s=steps.from_s,
            to_s=steps.to_s,
            operators=tuple(each.name for each in products[:5]),
            gain_s=compute_s * part * (1 - 1 / faster),
            estimate=f"{100 * part:.0f} % of {compute_s:.1f} s of computing, {faster:g} times as fast",
        )


def _compute_s(steps: Steps) -> float:
    known = sum(float(steps.phases[name].sum()) for name in ("forward", "backward"))
    return known or steps.total_s - float(steps.phases["loader"].sum())
