"""The trials in tables: those that were stopped, those that failed, and all of them."""

from __future__ import annotations

import re
from collections import defaultdict

from sagehound.pages.markup import Child, Html, element
from sagehound.pages.pieces import note, section, table
from sagehound.pages.units import count, duration
from sagehound.tuning.report.material import Material
from sagehound.tuning.report.saving import planned_reports
from sagehound.tuning.report.study import Outcome, Study, StudyTrial, short

_NUMBERED = 6


def stopped(material: Material) -> Html | None:
    """Which trials were stopped early, why, and how far they had come."""
    study = material.study
    some = study.of(Outcome.STOPPED_EARLY)
    if not some:
        return None
    rows = [
        (
            f"Trial {trial.number}",
            element("span", trial.stopped_because, class_="why"),
            _reports(study, trial),
            _value(trial),
            _seconds(trial),
        )
        for trial in some
    ]
    head = ("Trial", "Why", "Reports", study.metric, "Took")
    return section("stopped", "Stopped early", table("Trials that were stopped early", head, rows, range(2, 9)))


def failures(material: Material) -> Html | None:
    """The failed trials by their cause, the most common first."""
    study = material.study
    some = study.of(Outcome.FAILED)
    without = study.of(Outcome.WITHOUT)
    if not some and not without:
        return None
    causes: dict[str, list[StudyTrial]] = defaultdict(list)
    for trial in some:
        causes[cause(trial.failure)].append(trial)
    items = [_cause(trials) for trials in sorted(causes.values(), key=len, reverse=True)]
    numbers = ", ".join(str(trial.number) for trial in without)
    mute = f"{count(len(without), 'trial')} ended without a value of {study.metric}: {numbers}." if without else None
    return section("failures", "Failed trials", items, element("p", mute) if mute else None)


def cause(reason: str) -> str:
    """What reasons have in common that differ in numbers, addresses and paths alone.

    >>> cause("OutOfMemory: 512 MB at 0x7f01") == cause("OutOfMemory: 1024 MB at 0xa3")
    True
    """
    return re.sub(r"0x[0-9a-f]+|/\S+|\d+(\.\d+)?(e[-+]?\d+)?", "#", reason) or "no reason was recorded"


def _cause(trials: list[StudyTrial]) -> Html:
    some = ", ".join(str(trial.number) for trial in trials[:30]) + (" and more" if len(trials) > 30 else "")
    return element(
        "div",
        element("h3", f"{count(len(trials), 'trial')}: {some}"),
        element("pre", element("code", trials[0].failure or "No reason was recorded; see the log of the trial.")),
        note("See its log: ", element("code", f"sagehound logs {trials[0].name}")),
        class_="rule",
    )


def trials(material: Material) -> Html:
    """All trials, as they were tried."""
    study = material.study
    names = [each.name for each in study.ranges]
    several = len({trial.definition for trial in study.trials}) > 1
    head = ["Trial", "Outcome", *(["Definition"] if several else []), *names, study.metric, "Took", "Training job"]
    rows = [_row(trial, names, several, trial is study.best) for trial in study.trials]
    first = 3 if several else 2
    body = (
        table("All trials", head, rows, range(first, len(head) - 1)) if rows else note("No trial has been started yet.")
    )
    return section("trials", "All trials", body)


def _row(trial: StudyTrial, names: list[str], several: bool, best: bool) -> list[Child]:
    values = [short(trial.values[name]) if name in trial.values else "–" for name in names]
    number = element("strong", f"{trial.number}, the best") if best else str(trial.number)
    kind = [trial.definition] if several else []
    return [number, str(trial.outcome), *kind, *values, _value(trial), _seconds(trial), element("code", trial.name)]


def _value(trial: StudyTrial) -> str:
    return "–" if trial.objective is None else f"{trial.objective:.{_NUMBERED}g}"


def _seconds(trial: StudyTrial) -> str:
    return "–" if trial.seconds is None else duration(trial.seconds)


def _reports(study: Study, trial: StudyTrial) -> str:
    planned = planned_reports(study, trial)
    return f"{len(trial.curve)} of {planned}" if planned else str(len(trial.curve))
