"""What the machine did over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from sagehound.profile.report.chart import Chart, Line
from sagehound.profile.report.digest import Digest

_INKS = (1, 0, 3, 2, 7, 4)
#: More lines than this in one chart are drawn as one band.
LINES = 6


def system_charts(every: Sequence[Digest], span: tuple[float, float]) -> tuple[Chart, ...]:
    """Processor, GPU, memory, and rates of disk and network, each where it was sampled."""
    series = [each for each in every if not each.whole]
    drawn = (*_percentages(series), *_rates(series))
    return tuple(replace(chart, span=span) for chart in drawn if chart.lines)


def _percentages(every: Sequence[Digest]) -> Iterable[Chart]:
    cores = [each for each in every if each.is_core]
    whole = [each for each in _of(every, "CPUUtilization") if not each.is_core]
    waits = _named(_of(every, "I/OWaitPercentage"), "waiting for the disk", 1)
    note = "The line is the mean of all cores, the band reaches from the least to the most busy one."
    lines = (*_together(cores), *_named(whole, "this job", 2), *waits)
    yield Chart("cpu", "Processor", "%", lines, 100.0, note=note if cores else "")
    yield Chart("gpu", "GPU", "%", _each(_of(every, "GPUUtilization")), 100.0)
    yield Chart("gpu_memory", "GPU memory", "%", _each(_of(every, "GPUMemoryUtilization")), 100.0)
    memory = [each for each in every if "memory" in each.dimension.lower() and "GPU" not in each.dimension]
    percent = [each for each in memory if unit_of(each.dimension) == "%"]
    yield Chart("memory", "Memory", "%", _each(percent), 100.0)
    size = [each for each in memory if unit_of(each.dimension) == "B"]
    yield Chart("memory_size", "Memory in use", "B", _each(size))


def _rates(every: Sequence[Digest]) -> Iterable[Chart]:
    for key, title in (("disk", "Disk"), ("network", "Network")):
        rates = [each for each in every if key in each.dimension.lower() and unit_of(each.dimension) == "B/s"]
        yield Chart(key, title, "B/s", _each(rates))


def unit_of(dimension: str) -> str:
    """The unit of a dimension's values, which its name tells: percent, unless it names another."""
    word = dimension.lower()
    if "bytespersecond" in word:
        return "B/s"
    if word.endswith("bytes"):
        return "B"
    for ending, unit in (("watts", "W"), ("celsius", "°C"), ("temperature", "°C"), ("power", "W")):
        if word.endswith(ending):
            return unit
    return "1/s" if word.endswith("persecond") else "%"


def _of(every: Sequence[Digest], dimension: str) -> list[Digest]:
    return [each for each in every if each.dimension == dimension]


def _together(cores: Sequence[Digest]) -> list[Line]:
    """One line for each machine: its cores' mean, between the least and the most busy one."""
    nodes = list(dict.fromkeys(each.node for each in cores))
    found = []
    for place, node in enumerate(nodes[:LINES]):
        mine = [each.line for each in cores if each.node == node and each.line is not None]
        length = min((len(each.at_s) for each in mine), default=0)
        if not length:
            continue
        low = reduce(np.minimum, (each.low[:length] for each in mine))
        high = reduce(np.maximum, (each.high[:length] for each in mine))
        mean = np.mean([each.mean[:length] for each in mine], axis=0)
        name = "all cores" if len(nodes) == 1 else f"cores of {node}"
        values = sum(each.values for each in mine)
        found.append(Line(name, mine[0].at_s[:length], mean, low, high, _INKS[place % len(_INKS)], values))
    return found


def _each(series: Sequence[Digest]) -> tuple[Line, ...]:
    """One line a series, the first few."""
    nodes = len({each.node for each in series})
    parts = len({each.dimension for each in series})
    drawn = []
    for place, each in enumerate(series[:LINES]):
        words = [_spoken(each.dimension)] if parts > 1 else []
        words += [each.name] + ([f"of {each.node}"] if nodes > 1 else [])
        if each.line is not None:
            drawn.append(replace(each.line, name=" ".join(words), ink=_INKS[place % len(_INKS)]))
    return tuple(drawn)


def _named(series: Sequence[Digest], name: str, ink: int) -> tuple[Line, ...]:
    if len(series) != 1 or series[0].line is None:
        return ()
    return (replace(series[0].line, name=name, ink=_INKS[ink]),)


def _spoken(dimension: str) -> str:
    """ "DiskReadBytesPerSecond" is "read"."""
    for word in ("Read", "Write", "Received", "Sent", "Transmit"):
        if word.lower() in dimension.lower():
            return {"Read": "read", "Write": "written", "Received": "received"}.get(word, "sent")
    return dimension
