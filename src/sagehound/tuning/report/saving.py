"""What it saved to stop trials early."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from sagehound.tuning.report.study import Outcome, Study, StudyTrial

#: Names under which scripts take the number of epochs.
_EPOCHS = ("epochs", "num_epochs", "max_epochs", "n_epochs", "num_train_epochs", "epoch")


@dataclass(frozen=True, slots=True)
class Saving:
    """`trials` were stopped early. Of the `planned` reports of the objective of all trials of which that is known,
    mostly one an epoch, `reports` were not made; that took `seconds` less, at each trial's own pace."""

    trials: int
    reports: int
    planned: int
    seconds: float


def saving(study: Study) -> Saving | None:
    """None where no trial was stopped early."""
    stopped = study.of(Outcome.STOPPED_EARLY)
    if not stopped:
        return None
    left = {trial: max((planned_reports(study, trial) or 0) - len(trial.curve), 0) for trial in stopped}
    done = sum(len(trial.curve) for trial in study.trials)
    unmade = sum(left.values())
    return Saving(len(stopped), unmade, done + unmade, sum(left[trial] * _pace_s(trial) for trial in stopped))


def planned_reports(study: Study, trial: StudyTrial) -> int | None:
    """How often the trial would have reported, had it run to its end: as often as it was given epochs, where the
    completed ones did that too, or else as often as the completed ones mostly did. None where that is not known."""
    if study.resource is not None:
        return study.resource[1]
    completed = [each for each in study.of(Outcome.COMPLETED) if each.curve]
    if all(_epochs(study, each) == len(each.curve) for each in completed):
        return _epochs(study, trial)
    return round(median(len(each.curve) for each in completed))


def _epochs(study: Study, trial: StudyTrial) -> int | None:
    for name in _EPOCHS:
        value = trial.values.get(name, study.static.get(name, "")).strip('"')
        if value.isdigit():
            return int(value)
    return None


def _pace_s(trial: StudyTrial) -> float:
    """Seconds from one report to the next."""
    if len(trial.curve) > 1:
        return (trial.curve[-1].at_s - trial.curve[0].at_s) / (len(trial.curve) - 1)
    return (trial.seconds or 0.0) / max(len(trial.curve), 1)
