"""How busy cores and GPUs were."""

from __future__ import annotations

from sagehound.pages.markup import Child, Html
from sagehound.pages.pieces import note, part, section, table
from sagehound.pages.units import duration
from sagehound.profile.report.digest import Digest, Spread
from sagehound.profile.report.material import Material
from sagehound.profile.report.pieces import verdicts

_HEAD = ("Device", "Mean", "p5", "p50", "p95", "Below 10 %")
_DIMENSIONS = ("CPUUtilization", "GPUUtilization")
_RULES = ("LowGPUUtilization", "IdleCores")


def utilisation(material: Material) -> Html:
    """Mean and spread of each core and GPU, and what the rules say of them."""
    devices = [each for each in material.digests if each.dimension in _DIMENSIONS and not each.whole]
    many = len({each.node for each in devices}) > 1
    rows = [_row(each, each.spread, many) for each in devices if each.spread is not None]
    return section(
        "utilisation",
        "Utilisation",
        table("How busy each device was", _HEAD, rows) if rows else note("Neither cores nor GPUs were sampled."),
        verdicts(material, _RULES),
    )


def _row(each: Digest, spread: Spread, many: bool) -> list[Child]:
    spent = (f"{value:.0f} %" for value in (spread.p5, spread.p50, spread.p95))
    name = f"{each.name} of {each.node}" if many else each.name
    return [name, part(spread.mean, 100.0), *spent, duration(each.idle_s)]
