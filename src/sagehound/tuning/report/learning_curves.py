"""What each trial reported of the objective as it trained."""

from __future__ import annotations

from sagehound.pages.units import number
from sagehound.tuning.report.plot import Dots, Lines, Mark, Plot
from sagehound.tuning.report.ranks import FIFTHS, by_fifth, tips
from sagehound.tuning.report.scale import Scale, values
from sagehound.tuning.report.study import Outcome, Study, StudyTrial

#: So many points are drawn in all, so that the page stays small with hundreds of trials.
_POINTS = 12_000
_LEAST = 8


def learning_curves(study: Study) -> Plot | None:
    """A line a trial that reported more than once; None where there is none."""
    some = [trial for trial in study.trials if len(trial.curve) > 1]
    if not some:
        return None
    reported = [point.value for trial in some for point in trial.curve]
    y = values(study.metric, reported)
    longest = max(len(trial.curve) for trial in some)
    room = max(_POINTS // len(some), _LEAST)
    marks: list[Mark] = []
    unranked = [trial for trial in some if trial not in study.measured]
    if unranked:
        marks.append(_lines(study, "without a result", unranked, "soft", room, 0.5))
    for ink, trials in by_fifth(study, some).items():
        marks.append(_lines(study, FIFTHS[ink], trials, ink, room, 0.85))
    if study.best is not None and len(study.best.curve) > 1:
        marks.append(_lines(study, "best", [study.best], "c0", room, 1.0, 3.0))
    stopped = [trial for trial in some if trial.outcome is Outcome.STOPPED_EARLY]
    if stopped:
        ends = ([float(len(each.curve)) for each in stopped], [each.curve[-1].value for each in stopped])
        marks.append(Dots("stopped early", *ends, "c4", "cross", tips(study, stopped), 9.0))
    lengths = sorted(len(trial.curve) for trial in some)
    told = (
        f"{study.metric} as {len(some)} trials reported it, {lengths[0]} to {longest} values each, "
        f"from {number(min(reported))} to {number(max(reported))}. {len(stopped)} of them were stopped early."
    )
    note = f"{'Logarithmic scale. ' if y.log else ''}Across: which of its reports, mostly one an epoch."
    x = Scale("report", 0.7, longest + 0.3)
    return Plot("curves", f"{study.metric} while training", x, y, marks, told, note, height=280)


def _lines(
    study: Study, label: str, trials: list[StudyTrial], ink: str, room: int, opacity: float, width: float = 1.5
) -> Lines:
    paths = [_thinned(trial, room) for trial in trials]
    return Lines(label, paths, ink, width, tips(study, trials), opacity)


def _thinned(trial: StudyTrial, room: int) -> tuple[list[float], list[float]]:
    every = max(1, -(-len(trial.curve) // room))
    places = sorted({*range(0, len(trial.curve), every), len(trial.curve) - 1})
    return [place + 1.0 for place in places], [trial.curve[place].value for place in places]
