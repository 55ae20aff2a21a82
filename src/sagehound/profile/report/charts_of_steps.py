"""How long the steps took over time, and in which phases."""

from __future__ import annotations

from sagehound.profile.downsample import downsample
from sagehound.profile.findings.steps import PHASES, Steps
from sagehound.profile.report.chart import Chart, Line, line
from sagehound.profile.report.course import PARTS, Course

#: Phases are shown as means over so many stretches of the loop.
STRETCHES = 160


def step_charts(course: Course, span: tuple[float, float]) -> tuple[Chart, ...]:
    """The duration of each step, and the mean time of each phase, as the process had it that trained longest."""
    modes = [(each, ink) for each, ink in ((course.train, 1), (course.evaluation, 7)) if each is not None and len(each)]
    lines = [line(f"{_mode(each)} step", each.starts, each.durations, ink, span) for each, ink in modes]
    durations = tuple(each for each in lines if each is not None)
    found = [Chart("steps", "Duration of a step", "s", durations, span=span)] if durations else []
    phases = _phases(course.train, span) if course.train is not None else ()
    if phases:
        found.append(Chart("phases", "Phases of a training step", "s", phases, stacked=True, span=span))
    return tuple(found)


def _mode(steps: Steps) -> str:
    return {"TRAIN": "Training", "EVAL": "Evaluation"}.get(steps.mode, steps.mode)


def _phases(steps: Steps, span: tuple[float, float]) -> tuple[Line, ...]:
    lines = []
    for key in PHASES:
        values = steps.phases[key]
        if not values.sum() > 0:
            continue
        found = downsample(steps.starts, values, STRETCHES, *span)
        name, ink = PARTS[key]
        lines.append(Line(name, found.at_s, found.mean, found.minimum, found.maximum, ink, len(values)))
    return tuple(lines)
