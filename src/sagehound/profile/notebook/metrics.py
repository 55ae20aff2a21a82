"""A machine's series as charts take them: chosen by patterns, with their mean beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sagehound.errors import InvalidInput
from sagehound.profile.notebook.look import unit_of
from sagehound.profile.series import Floats, Series, series_of

TOTAL = "total"


@dataclass(frozen=True)
class Metric:
    """One dimension of one node (of all nodes together where `node` is ""): its series by name, "total" last."""

    node: str
    dimension: str
    series: dict[str, Series]

    @property
    def unit(self) -> tuple[str, float]:
        """What its values are shown in, and what to divide them by for it."""
        finite = (each.values[np.isfinite(each.values)] for each in self.series.values())
        return unit_of(self.dimension, max((float(values.max(initial=0.0)) for values in finite), default=0.0))

    @property
    def label(self) -> str:
        return f"{self.dimension}-nodeid:{self.node}" if self.node else self.dimension


def metrics_of(
    system: pa.Table, dimensions: Sequence[str], events: Sequence[str], show_workers: bool = True
) -> list[Metric]:
    """What a table of samples has: dimensions in which one of the regular expressions is found, and of these the
    series ("cpu0", "total") likewise. `show_workers` False: all nodes in one. InvalidInput where nothing is found."""
    found: dict[tuple[str, str], dict[str, Series]] = {}
    for series in series_of(system):
        key = (series.node if show_workers else "", series.dimension)
        # Without workers, the cores of all nodes stand side by side.
        name = series.name if show_workers or series.name not in found.get(key, {}) else f"{series.name} {series.node}"
        found.setdefault(key, {})[name] = series
    every = [Metric(node, dimension, own) for (node, dimension), own in found.items()]
    kept = [_only(metric, events) for metric in every if _found(dimensions, metric.label)]
    kept = [metric for metric in kept if metric.series]
    if not kept:
        raise InvalidInput(_nothing(every, dimensions, events))
    return sorted(kept, key=lambda metric: (metric.node, _rank(metric.dimension), metric.dimension))


def mean_of(series: Sequence[Series]) -> Series:
    """The mean of series at the times of the first."""
    first = series[0]
    values: Floats = np.mean([np.interp(first.at_s, each.at_s, each.values) for each in series], axis=0)
    return Series(first.node, first.dimension, TOTAL, first.at_s, values)


def _only(metric: Metric, events: Sequence[str]) -> Metric:
    """The series that were asked for. The total of several cores or devices is their mean; that of the parts of a
    machine is the machine, shown only where nothing else is asked for."""
    kept = {name: own for name, own in metric.series.items() if _found(events, name)}
    counted = [own for name, own in metric.series.items() if name.startswith(("cpu", "gpu"))]
    if _found(events, TOTAL) and (len(counted) > 1 or not kept):
        whole = metric.series.get("machine") or mean_of(counted or list(metric.series.values()))
        kept |= {TOTAL: Series(whole.node, whole.dimension, TOTAL, whole.at_s, whole.values)}
    return Metric(metric.node, metric.dimension, kept)


def _found(patterns: Iterable[str], word: str) -> bool:
    return any(re.search(pattern, word) for pattern in patterns)


def _rank(dimension: str) -> int:
    order = ("CPU", "GPUUtil", "GPUMem", "GPU", "Memory", "I/O", "Disk", "Network")
    return next((place for place, begin in enumerate(order) if dimension.startswith(begin)), len(order))


def _nothing(every: Sequence[Metric], dimensions: Sequence[str], events: Sequence[str]) -> str:
    if not every:
        return "there are no system metrics in this stretch of time"
    names = sorted({name for metric in every for name in metric.series})
    labels = sorted({metric.label for metric in every})
    return (
        f"no metric has a dimension that {list(dimensions)} is found in and a name that {list(events)} is found in; "
        f"there are {', '.join(labels)} with {', '.join(names)} and {TOTAL}"
    )
