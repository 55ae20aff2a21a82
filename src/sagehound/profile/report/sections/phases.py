"""The phases of a training step."""

from __future__ import annotations

import numpy as np

from sagehound.pages.markup import Html
from sagehound.pages.pieces import note, part, section, table
from sagehound.pages.units import count, duration
from sagehound.profile.findings.steps import PHASES
from sagehound.profile.report.course import PARTS
from sagehound.profile.report.material import Material

_HEAD = ("Phase", "Share", "Mean", "p50", "p95", "Longest", "In all")


def phases(material: Material) -> Html:
    """What a step is made of, as the process had it that trained longest."""
    steps, course = material.course.train, material.course
    known = [] if steps is None else [name for name in PHASES if steps.phases[name].sum() > 0]
    if steps is None or not known:
        why = "No training step was seen" if steps is None else "Steps were seen, but not what they are made of"
        return section("phases", "Phases of a step", note(f"{why}."))
    rows = []
    for name in known:
        spent = steps.phases[name]
        cell = part(float(spent.sum()), steps.total_s, PARTS[name][1])
        times = (spent.mean(), *np.percentile(spent, (50, 95)), spent.max(), spent.sum())
        rows.append([PARTS[name][0], cell, *(duration(float(each)) for each in times)])
    who = (
        f" It is process {steps.pid} of {steps.node}, of {course.workers}: the others wait for the slowest."
        if course.workers > 1
        else ""
    )
    return section(
        "phases",
        "Phases of a step",
        note(f"{count(len(steps), 'training step')}, {duration(steps.total_s)} in all.{who}"),
        table("Time in each phase of a training step", _HEAD, rows),
    )
