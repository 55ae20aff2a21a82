"""Parallel coordinates: a line a trial through the value of each hyperparameter to the objective."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sagehound.tuning.report.plot import Dots, Lines, Mark, Plot, Words
from sagehound.tuning.report.ranks import FIFTHS, by_fifth, tips
from sagehound.tuning.report.scale import HyperparameterAxis, Scale, axis, values
from sagehound.tuning.report.study import Study, StudyTrial

#: Pixels that an axis with its labels needs.
_AXIS_PIXELS = 96
_EDGE = 0.35
_TOP = 1.1
#: Labels closer than this part of the axis would lie on each other.
_APART = 0.055


def parallel(study: Study) -> Plot | None:
    """The chart; None where fewer than two trials have an objective: one line says no more than the table."""
    if len(study.measured) < 2:
        return None
    axes = [axis(given) for given in study.ranges]
    objective = values(study.metric, (trial.objective or 0.0 for trial in study.measured))
    last = len(axes)
    marks: list[Mark] = [Lines("", [([place] * 2, [0.0, 1.0]) for place in range(last + 1)], "rule", 1.0)]
    for ink, trials in by_fifth(study, study.measured).items():
        paths = [_path(study, trial, axes, objective) for trial in trials]
        numbers = [trial.number for trial in trials]
        marks.append(Lines(FIFTHS[ink], paths, ink, 1.5, tips(study, trials), 0.75, numbers))
    if study.best is not None:
        path = _path(study, study.best, axes, objective)
        marks.append(Lines("best", [path], "c0", 3.0, tips(study, [study.best]), 1.0, [study.best.number]))
    marks.append(_corners(study, axes, objective))
    scales = [*(each.scale for each in axes), objective]
    marks += [_labels(place, scale, _flipped(study, place == last)) for place, scale in enumerate(scales)]
    names = [*(given.name for given in study.ranges), study.metric]
    marks.append(Words(range(last + 1), [_TOP - 0.03] * (last + 1), [_cut(name) for name in names], strong=True))
    told = f"{len(study.measured)} trials through {', '.join(names)}, the best {study.metric} at the top."
    note = _unused(study)
    x, y = Scale("", -_EDGE, last + _EDGE), Scale("", -0.06, _TOP)
    width = _AXIS_PIXELS * (last + 1)
    return Plot("parallel", "Parallel coordinates", x, y, marks, told, note, bare=True, height=340, least_width=width)


def _path(
    study: Study, trial: StudyTrial, axes: Sequence[HyperparameterAxis], objective: Scale
) -> tuple[list[float], list[float]]:
    ys = []
    for each in axes:
        place = each.place(trial.values[each.range.name]) if each.range.name in trial.values else None
        ys.append(math.nan if place is None else each.scale.fraction(place))
    end = objective.fraction(trial.objective or 0.0)
    return [float(place) for place in range(len(axes) + 1)], [*ys, end if study.maximize else 1 - end]


def _corners(study: Study, axes: Sequence[HyperparameterAxis], objective: Scale) -> Dots:
    """Where the lines cross the axes: by these a reader chooses trials, by dragging along an axis."""
    xs: list[float] = []
    ys: list[float] = []
    trials: list[int] = []
    for trial in study.measured:
        for x, y in zip(*_path(study, trial, axes, objective), strict=True):
            if math.isfinite(y):
                xs.append(x)
                ys.append(y)
                trials.append(trial.number)
    return Dots("", xs, ys, "soft", size=4.0, chooses=trials)


def _flipped(study: Study, is_objective: bool) -> bool:
    return is_objective and not study.maximize


def _labels(place: int, scale: Scale, flipped: bool) -> Words:
    """The values beside an axis, without those that would lie on another."""
    found: list[tuple[float, str]] = []
    for at, words in scale.labels(4):
        fraction = 1 - scale.fraction(at) if flipped else scale.fraction(at)
        if all(abs(fraction - other) > _APART for other, _ in found):
            found.append((fraction, words))
    x = [place + 0.04] * len(found)
    return Words(x, [fraction for fraction, _ in found], [words for _, words in found], "start")


def _unused(study: Study) -> str:
    names = [each.name for each in study.ranges if any(each.name not in trial.values for trial in study.measured)]
    return f"A line has a gap where its trial does not use {', '.join(names)}." if names else ""


def _cut(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:15]}…"
