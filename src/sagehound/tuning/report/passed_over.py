"""The stopped trial that came to a better objective than the best one, which only a completed trial can be."""

from __future__ import annotations

from sagehound.tuning.report.study import Outcome, Study, StudyTrial


def passed_over(study: Study) -> StudyTrial | None:
    """The best of the stopped trials whose objective is better than the best one's; where there is no best one, the
    best of them all."""
    best = study.best
    stopped = [each for each in study.ranked() if each.outcome in (Outcome.STOPPED, Outcome.STOPPED_EARLY)]
    first = next((each for each in stopped if each is not best), None)
    if first is None or first.objective is None or best is None or best.objective is None:
        return first
    return first if study.better(first.objective, best.objective) else None


def sentence(study: Study, trial: StudyTrial) -> str:
    """Why `trial`, which was passed over, is not the best one."""
    than = "a better value than the best one's" if study.best else "better than any other"
    return (
        f"Trial {trial.number}, {trial.name}, had come to a {study.metric} of {trial.objective:.5g}, {than}, when it "
        "was stopped; only a trial that completed counts, since the model of a stopped one may not be whole."
    )
