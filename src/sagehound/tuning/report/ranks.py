"""The fifths of the trials by their objective, which give the lines of a chart their ink."""

from __future__ import annotations

from collections.abc import Iterable

from sagehound.pages.units import duration
from sagehound.tuning.report.study import Study, StudyTrial, short

#: Ink -> which trials have it, the best ones first.
FIFTHS = {"q0": "best fifth", "q1": "second", "q2": "third", "q3": "fourth", "q4": "worst fifth"}
#: A box that follows the pointer has no room for more hyperparameters.
TOLD = 12


def by_fifth(study: Study, trials: Iterable[StudyTrial]) -> dict[str, list[StudyTrial]]:
    """Those of `trials` that have an objective by the ink of their fifth, the worst first: what is drawn last is seen
    best. With fewer than five the best ones have the strongest inks."""
    ranked = study.ranked()
    fifth = {trial.number: f"q{min(place * 5 // max(len(ranked), 5), 4)}" for place, trial in enumerate(ranked)}
    found: dict[str, list[StudyTrial]] = {ink: [] for ink in reversed(FIFTHS)}
    for trial in trials:
        if trial.number in fifth:
            found[fifth[trial.number]].append(trial)
    return {ink: some for ink, some in found.items() if some}


def tips(study: Study, trials: Iterable[StudyTrial], every_value: bool = True) -> dict[str, list[str]]:
    """What is told of each trial that a reader points at."""
    some = list(trials)
    found = {
        "trial": [f"{each.number}, {each.outcome}" for each in some],
        study.metric: ["none" if each.objective is None else f"{each.objective:.6g}" for each in some],
    }
    if every_value:
        for given in study.ranges[:TOLD]:
            found[given.name] = [short(each.values.get(given.name, "not used")) for each in some]
        if len(study.ranges) > TOLD:
            found["and"] = [f"{len(study.ranges) - TOLD} more, in the table of all trials"] * len(some)
        found["took"] = ["runs" if each.seconds is None else duration(each.seconds) for each in some]
    return found
