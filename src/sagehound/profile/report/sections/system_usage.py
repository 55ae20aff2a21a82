"""How much of the machine was used."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sagehound.profile.report.charts_of_system import is_core, unit_of
from sagehound.profile.report.markup import Child, Html
from sagehound.profile.report.material import Material
from sagehound.profile.report.pieces import note, section, table, verdicts
from sagehound.profile.report.units import amount, count
from sagehound.profile.series import Series

_HEAD = ("Node", "Metric", "Of", "Unit", "Max", "p99", "p95", "p50", "Min")
#: A machine with more cores has them summed up.
_CORES = 16


def system_usage(material: Material) -> Html:
    """Percentiles of every metric."""
    if not material.series:
        return section("usage", "System usage", note("The machine was not sampled."))
    points = material.profile.system.num_rows
    return section(
        "usage",
        "System usage",
        note(f"{count(points, 'sample')}."),
        table("Use of the system over the job", _HEAD, _rows(material.series), numbers=range(4, 99)),
        verdicts(material, ("OverallSystemUsage",)),
    )


def _rows(every: tuple[Series, ...]) -> Iterator[list[Child]]:
    for node in dict.fromkeys(each.node for each in every):
        mine = [each for each in every if each.node == node]
        cores = [each for each in mine if is_core(each)]
        if len(cores) > 1:
            values = np.concatenate([each.values for each in cores])
            yield _row(node, "CPUUtilization", f"all {len(cores)} cores", values)
        for each in mine:
            if not is_core(each) or len(cores) <= _CORES:
                yield _row(node, each.dimension, each.name, each.values)


def _row(node: str, dimension: str, name: str, values: np.ndarray) -> list[Child]:
    known = values[np.isfinite(values)]
    if not len(known):
        return [node, dimension, name, unit_of(dimension), *("–",) * 5]
    unit = unit_of(dimension)
    spread = np.percentile(known, (100, 99, 95, 50, 0))
    return [node, dimension, name, unit, *(amount(float(each), unit).removesuffix(" %") for each in spread)]
