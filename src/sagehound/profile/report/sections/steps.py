"""How long the steps took, and how that spreads."""

from __future__ import annotations

import numpy as np

from sagehound.pages.markup import Child, Html, element
from sagehound.pages.pieces import note, section, table
from sagehound.pages.units import count, duration
from sagehound.profile.findings.steps import Steps
from sagehound.profile.report.material import Material
from sagehound.profile.report.pieces import verdicts
from sagehound.profile.series import Floats

_HEAD = ("Process", "Mode", "Steps", "Mean", "p50", "p95", "p99", "Longest", "Which", "First")
_BINS, _WIDTH, _HEIGHT = 30, 760, 150


def steps(material: Material) -> Html:
    """A table of every process and mode, and the histogram of the one that trained longest."""
    every = sorted(material.course.processes, key=_place)
    if not every:
        return section("steps", "Duration of steps", note("No step was seen."), verdicts(material, ("StepOutlier",)))
    main = material.course.train or material.course.evaluation or every[0]
    return section(
        "steps",
        "Duration of steps",
        table("Durations of steps", _HEAD, (_row(each) for each in every), numbers=range(2, 99)),
        _histogram(main),
        verdicts(material, ("StepOutlier", "FirstStep")),
    )


def _place(each: Steps) -> tuple[str, int, bool]:
    return each.node, each.pid, each.mode != "TRAIN"


def _row(each: Steps) -> list[Child]:
    spread = (each.durations.mean(), *np.percentile(each.durations, (50, 95, 99)), each.durations.max())
    which = int(each.numbers[int(each.durations.argmax())])
    times = [duration(float(value)) for value in spread]
    return [
        f"{each.node}, process {each.pid}",
        each.mode,
        f"{len(each):,}",
        *times,
        f"step {which}",
        duration(float(each.durations[0])),
    ]


def _histogram(main: Steps) -> Html:
    """Bars up to the 99th percentile; what is longer stands in the last one."""
    low, top = float(main.durations.min()), float(np.percentile(main.durations, 99))
    top = top if top > low else low + max(abs(low) * 0.01, 1e-9)
    edges = np.linspace(low, top, _BINS + 1)
    counts, _ = np.histogram(np.minimum(main.durations, top), edges)
    longer = int((main.durations > top).sum())
    stand = "stands" if longer == 1 else "stand"
    tail = f" {count(longer, 'step')} took longer, and {stand} in the last bar." if longer else ""
    usual = int(counts.argmax())
    said = (
        f"{count(len(main), 'step')} ({main.mode}) of process {main.pid}: most, {counts[usual]}, took between "
        f"{duration(float(edges[usual]))} and {duration(float(edges[usual + 1]))}.{tail}"
    )
    rows = [
        [f"{duration(float(a))} to {duration(float(b))}", f"{number:,}"]
        for a, b, number in zip(edges, edges[1:], counts.tolist(), strict=False)
        if number
    ]
    return element(
        "figure",
        element("h3", "Histogram of step durations"),
        _bars(edges, counts),
        element("figcaption", said),
        element(
            "details",
            element("summary", "These numbers as a table"),
            table("Steps by duration", ("Duration", "Steps"), rows),
        ),
    )


def _bars(edges: Floats, counts: np.ndarray) -> Html:
    high, wide = max(int(counts.max()), 1), (_WIDTH - 20) / len(counts)
    drawn: list[Html] = []
    for place, number in enumerate(counts.tolist()):
        tall = (_HEIGHT - 30) * number / high
        title = element("title", f"{duration(float(edges[place]))}: {number}")
        spot = {
            "x": f"{10 + place * wide:.1f}",
            "y": f"{_HEIGHT - 20 - tall:.1f}",
            "width": f"{wide - 1.5:.1f}",
            "height": f"{tall:.1f}",
        }
        drawn.append(element("rect", title, class_="fill c1", **spot))
    for place in range(5):
        at = place * (len(edges) - 1) // 4
        side = "start" if place == 0 else "end" if place == 4 else "middle"
        drawn.append(element("text", duration(float(edges[at])), x=f"{10 + at * wide:.0f}", y=_HEIGHT - 4, class_=side))
    return element(
        "svg", drawn, class_="drawing", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", aria_hidden="true", focusable="false"
    )
