"""How much of the machine was used."""

from __future__ import annotations

from collections.abc import Iterator

from sagehound.pages.markup import Child, Html
from sagehound.pages.pieces import note, section, table
from sagehound.pages.units import amount, count
from sagehound.profile.report.charts_of_system import unit_of
from sagehound.profile.report.digest import Digest
from sagehound.profile.report.material import Material
from sagehound.profile.report.pieces import verdicts

_HEAD = ("Node", "Metric", "Of", "Unit", "Max", "p99", "p95", "p50", "Min")
#: A machine with more cores has them summed up.
_CORES = 16


def system_usage(material: Material) -> Html:
    """Percentiles of every metric."""
    if not material.digests:
        return section("usage", "System usage", note("The machine was not sampled."))
    points = material.profile.system.num_rows
    return section(
        "usage",
        "System usage",
        note(f"{count(points, 'sample')}."),
        table("Use of the system over the job", _HEAD, _rows(material.digests), numbers=range(4, 99)),
        verdicts(material, ("OverallSystemUsage",)),
    )


def _rows(every: tuple[Digest, ...]) -> Iterator[list[Child]]:
    many = {each.node for each in every if sum(one.is_core and one.node == each.node for one in every) > _CORES}
    for each in every:
        if each.is_core and each.node in many:
            continue
        unit, spread = unit_of(each.dimension), each.spread
        values = [] if spread is None else [spread.high, spread.p99, spread.p95, spread.p50, spread.low]
        numbers = [amount(value, unit).removesuffix(" %") for value in values] or ["–"] * 5
        yield [each.node, each.dimension, each.name, unit, *numbers]
