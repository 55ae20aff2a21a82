"""What the machine did over time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np

from sagehound.profile.downsample import downsample
from sagehound.profile.profile import Profile
from sagehound.profile.report.chart import BUCKETS, Chart, Line, line
from sagehound.profile.series import Series, series_of

_INKS = (1, 0, 3, 2, 7, 4)
#: More lines than this in one chart are drawn as one band.
LINES = 6


def system_charts(profile: Profile, span: tuple[float, float]) -> tuple[Chart, ...]:
    """Processor, GPU, memory, and rates of disk and network, each where it was sampled."""
    every = series_of(profile.system)
    return tuple(chart for chart in (*_percentages(every, span), *_rates(every, span)) if chart.lines)


def _percentages(every: Sequence[Series], span: tuple[float, float]) -> Iterable[Chart]:
    cores = [each for each in every if is_core(each)]
    whole = [each for each in _of(every, "CPUUtilization") if not is_core(each)]
    waits = _named(_of(every, "I/OWaitPercentage"), "waiting for the disk", span, 1)
    note = "The line is the mean of all cores, the band reaches from the least to the most busy one."
    yield Chart(
        "cpu",
        "Processor",
        "%",
        (*_together(cores, span), *_named(whole, "this job", span, 2), *waits),
        100.0,
        note=note,
        span=span,
    )
    yield Chart("gpu", "GPU", "%", _each(_of(every, "GPUUtilization"), span), 100.0, span=span)
    yield Chart("gpu_memory", "GPU memory", "%", _each(_of(every, "GPUMemoryUtilization"), span), 100.0, span=span)
    memory = [each for each in every if "memory" in each.dimension.lower() and "GPU" not in each.dimension]
    percent = [each for each in memory if _unit(each.dimension) == "%"]
    yield Chart("memory", "Memory", "%", _each(percent, span), 100.0, span=span)
    size = [each for each in memory if _unit(each.dimension) == "B"]
    yield Chart("memory_size", "Memory in use", "B", _each(size, span), span=span)


def _rates(every: Sequence[Series], span: tuple[float, float]) -> Iterable[Chart]:
    for key, title in (("disk", "Disk"), ("network", "Network")):
        rates = [each for each in every if key in each.dimension.lower() and _unit(each.dimension) == "B/s"]
        yield Chart(key, title, "B/s", _each(rates, span), span=span)


def is_core(each: Series) -> bool:
    """Whether these are the samples of one core; other names are those of the job or the machine as a whole."""
    return each.dimension == "CPUUtilization" and re.fullmatch(r"cpu[0-9]+", each.name) is not None


def unit_of(dimension: str) -> str:
    """The unit of a dimension's values, which its name tells: percent, unless it names another."""
    return _unit(dimension)


def _unit(dimension: str) -> str:
    word = dimension.lower()
    if "bytespersecond" in word:
        return "B/s"
    if word.endswith("bytes"):
        return "B"
    for ending, unit in (("watts", "W"), ("celsius", "°C"), ("temperature", "°C"), ("power", "W")):
        if word.endswith(ending):
            return unit
    return "1/s" if word.endswith("persecond") else "%"


def _of(every: Sequence[Series], dimension: str) -> list[Series]:
    return [each for each in every if each.dimension == dimension]


def _together(cores: Sequence[Series], span: tuple[float, float]) -> list[Line]:
    """One line for each machine: its cores' mean, between the least and the most busy one."""
    nodes = list(dict.fromkeys(each.node for each in cores))
    found = []
    for place, node in enumerate(nodes[:LINES]):
        mine = [downsample(each.at_s, each.values, BUCKETS, *span) for each in cores if each.node == node]
        length = min((len(each.at_s) for each in mine), default=0)
        if not length:
            continue
        low = reduce(np.minimum, (each.minimum[:length] for each in mine))
        high = reduce(np.maximum, (each.maximum[:length] for each in mine))
        mean = np.mean([each.mean[:length] for each in mine], axis=0)
        name = "all cores" if len(nodes) == 1 else f"cores of {node}"
        values = sum(int(each.count.sum()) for each in mine)
        found.append(Line(name, mine[0].at_s[:length], mean, low, high, _INKS[place % len(_INKS)], values))
    return found


def _each(series: Sequence[Series], span: tuple[float, float]) -> tuple[Line, ...]:
    """One line a series, the first few."""
    nodes = len({each.node for each in series})
    parts = len({each.dimension for each in series})
    drawn = []
    for place, each in enumerate(series[:LINES]):
        words = [_spoken(each.dimension)] if parts > 1 else []
        words += [each.name] + ([f"of {each.node}"] if nodes > 1 else [])
        drawn.append(line(" ".join(words), each.at_s, each.values, _INKS[place % len(_INKS)], span))
    return tuple(each for each in drawn if each is not None)


def _named(series: Sequence[Series], name: str, span: tuple[float, float], first_ink: int) -> tuple[Line, ...]:
    if len(series) != 1:
        return ()
    drawn = line(name, series[0].at_s, series[0].values, _INKS[first_ink], span)
    return (drawn,) if drawn is not None else ()


def _spoken(dimension: str) -> str:
    """ "DiskReadBytesPerSecond" is "read"."""
    for word in ("Read", "Write", "Received", "Sent", "Transmit"):
        if word.lower() in dimension.lower():
            return {"Read": "read", "Write": "written", "Received": "received"}.get(word, "sent")
    return dimension
