"""The objective over the trials, and over the time that the tuning job took."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sagehound.pages.units import number
from sagehound.tuning.report.plot import Dots, Lines, Mark, Plot
from sagehound.tuning.report.ranks import tips
from sagehound.tuning.report.scale import Scale, values
from sagehound.tuning.report.study import Outcome, Study, StudyTrial

_LOOKS = {
    Outcome.COMPLETED: ("c1", "dot", 7.0),
    Outcome.STOPPED_EARLY: ("c4", "ring", 7.0),
    Outcome.STOPPED: ("c6", "ring", 7.0),
}
_UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


def by_trial(study: Study) -> Plot | None:
    """Each trial's objective, and the best one up to it; None where no trial has one."""
    scale = Scale("trial", 0.0, max((trial.number for trial in study.trials), default=1) + 1.0)
    told = f"{study.metric} by trial. {_told(study)}"
    return _plot(study, "objective", f"{study.metric} by trial", scale, lambda trial: float(trial.number), told)


def by_time(study: Study) -> Plot | None:
    """The same at the moment at which each trial ended; None where that is not known."""
    ends = [trial.ended_s - study.created_s for trial in study.measured if trial.ended_s is not None]
    if len(ends) < 2:
        return None
    by, unit = next(((by, unit) for by, unit in _UNITS if max(ends) >= 2 * by), _UNITS[-1])
    scale = Scale(f"{unit} since the start", 0.0, max(ends) / by * 1.04)

    def place(trial: StudyTrial) -> float | None:
        return None if trial.ended_s is None else (trial.ended_s - study.created_s) / by

    told = f"{study.metric} by the time at which each trial ended. {_told(study)}"
    return _plot(study, "time", f"{study.metric} over time", scale, place, told)


def _plot(
    study: Study, key: str, title: str, x: Scale, place: Callable[[StudyTrial], float | None], told: str
) -> Plot | None:
    if not study.measured:
        return None
    y = values(study.metric, (trial.objective or 0.0 for trial in study.measured))
    at = {trial.number: where for trial in study.trials if (where := place(trial)) is not None}
    marks: list[Mark] = [_best_so_far(study, at, x)]
    for outcome, (ink, shape, size) in _LOOKS.items():
        some = [each for each in study.of(outcome) if each.objective is not None and each.number in at]
        if some:
            marks.append(_dots(study, str(outcome), some, at, ink, shape, size))
    without = [each for each in study.of(Outcome.FAILED, Outcome.WITHOUT) if each.number in at]
    if without:
        low = [y.at(0.04)] * len(without)
        across = [at[each.number] for each in without]
        marks.append(Dots("failed, at the lower edge", across, low, "c7", "cross", tips(study, without), 9.0))
    if study.best is not None and study.best.number in at:
        marks.append(_dots(study, "best", [study.best], at, "c0", "diamond", 14.0))
    note = "Logarithmic scale." if y.log else ""
    return Plot(key, title, x, y, marks, told, note)


def _dots(
    study: Study, label: str, some: Iterable[StudyTrial], at: dict[int, float], ink: str, shape: str, size: float
) -> Dots:
    trials = list(some)
    y = [each.objective or 0.0 for each in trials]
    return Dots(label, [at[each.number] for each in trials], y, ink, shape, tips(study, trials), size)


def _best_so_far(study: Study, at: dict[int, float], x: Scale) -> Lines:
    """A staircase that ends at the right edge: what was known as the best until then."""
    xs: list[float] = []
    ys: list[float] = []
    ended = sorted((each for each in study.measured if each.number in at), key=lambda each: at[each.number])
    for trial, best in study.best_so_far(tuple(ended)):
        if ys:
            xs.append(at[trial.number])
            ys.append(ys[-1])
        xs.append(at[trial.number])
        ys.append(best)
    if ys:
        xs.append(x.high)
        ys.append(ys[-1])
    return Lines("best so far", [(xs, ys)], "c0", 2.0)


def _told(study: Study) -> str:
    values = [trial.objective or 0.0 for trial in study.measured]
    if not values:
        return ""
    best = f"; the best is trial {study.best.number} with {number(study.best.objective or 0.0)}" if study.best else ""
    return f"{len(values)} trials have a value, from {number(min(values))} to {number(max(values))}{best}."
