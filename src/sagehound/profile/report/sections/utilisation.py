"""How busy cores and GPUs were."""

from __future__ import annotations

import numpy as np

from sagehound.profile.report.markup import Child, Html
from sagehound.profile.report.material import Material
from sagehound.profile.report.pieces import note, part, section, table, verdicts
from sagehound.profile.report.units import duration
from sagehound.profile.series import Series

_HEAD = ("Device", "Mean", "p5", "p50", "p95", "Below 10 %")
_RULES = ("LowGPUUtilization", "IdleCores")


def utilisation(material: Material) -> Html:
    """Mean and spread of each core and GPU, and what the rules say of them."""
    devices = [each for each in material.series if each.dimension in ("GPUUtilization", "CPUUtilization")]
    rows = [_row(each, material) for each in devices if np.isfinite(each.values).any()]
    return section(
        "utilisation",
        "Utilisation",
        table("How busy each device was", _HEAD, rows) if rows else note("Neither cores nor GPUs were sampled."),
        verdicts(material, _RULES),
    )


def _row(each: Series, material: Material) -> list[Child]:
    values = each.values[np.isfinite(each.values)]
    p5, p50, p95 = (f"{value:.0f} %" for value in np.percentile(values, (5, 50, 95)))
    mean = float(values.mean())
    name = each.name if len(material.profile.job.hosts) < 2 else f"{each.name} of {each.node}"
    idle = duration(float((values < 10).mean()) * float(each.at_s[-1] - each.at_s[0]))
    return [name, part(mean, 100.0), p5, p50, p95, idle]
