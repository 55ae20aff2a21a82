"""Each hyperparameter against the objective."""

from __future__ import annotations

from collections.abc import Sequence

from sagehound.pages.units import number
from sagehound.tuning.report.plot import Dots, Mark, Plot
from sagehound.tuning.report.ranks import tips
from sagehound.tuning.report.scale import HyperparameterAxis, axis, values
from sagehound.tuning.report.study import Outcome, Study, StudyTrial, short, shown
from sagehound.tuning.space import Categorical

#: More charts would not be read: the others are in the table of all trials.
CHARTS = 12


def hyperparameters(study: Study, order: Sequence[str] = ()) -> list[Plot]:
    """A chart a hyperparameter, as it was searched, those named in `order` first; none without an objective."""
    if not study.measured:
        return []
    place = {name: at for at, name in enumerate(order)}
    ranges = sorted(study.ranges, key=lambda given: place.get(given.name, len(place)))
    return [_plot(study, axis(given), at) for at, given in enumerate(ranges[:CHARTS])]


def _plot(study: Study, along: HyperparameterAxis, place: int) -> Plot:
    y = values(study.metric, (trial.objective or 0.0 for trial in study.measured))
    name = along.range.name
    marks: list[Mark] = []
    early = study.of(Outcome.STOPPED_EARLY, Outcome.STOPPED)
    groups = (
        ("completed", [each for each in study.measured if each not in (*early, study.best)], "c1", "dot", 7.0),
        ("stopped", [each for each in study.measured if each in early], "c4", "ring", 7.0),
        ("best", [study.best] if study.best else [], "c0", "diamond", 13.0),
    )
    for label, trials, ink, shape, size in groups:
        some = [(each, at) for each in trials if (at := _place(along, each)) is not None]
        if some:
            own = [each for each, _ in some]
            told = tips(study, own, every_value=False) | {name: [short(each.values[name]) for each in own]}
            ys = [each.objective or 0.0 for each in own]
            marks.append(Dots(label, [at for _, at in some], ys, ink, shape, told, size))
    note = "Searched by its logarithm." if along.scale.log else ""
    return Plot(f"by{place}", name, along.scale, y, marks, _told(study, along), note, height=200)


def _place(along: HyperparameterAxis, trial: StudyTrial) -> float | None:
    value = trial.values.get(along.range.name)
    return None if value is None else along.place(value)


def _told(study: Study, along: HyperparameterAxis) -> str:
    """For a category the best objective of each; for a number where the best fifth of the trials lies."""
    given = along.range
    if isinstance(given, Categorical):
        best: dict[str, float] = {}
        for trial in study.ranked():
            best.setdefault(trial.values.get(given.name, ""), trial.objective or 0.0)
        words = [f"{shown(each)} {number(best[each])}" for each in given.categories if each in best]
        return f"Best {study.metric} by {given.name}: {', '.join(words)}."
    ranked = [trial for trial in study.ranked() if given.name in trial.values]
    top = [float(trial.values[given.name]) for trial in ranked[: max(1, len(ranked) // 5)]]
    if not top:
        return f"No trial with a result uses {given.name}."
    return f"The best fifth of the trials has {given.name} from {number(min(top))} to {number(max(top))}."
