"""What the user of a tuning job should know of its trials, and no status says."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sagehound.control.trial_folders import TrialFolders
from sagehound.records.training import TrainingJob, TrainingStatus
from sagehound.records.tuning import Definition, TuningJob
from sagehound.store.store import Store

_LOG = logging.getLogger(__name__)
#: So many trials with different values and the very same objective are worth a word.
_ALIKE = 4


class Remarks:
    """The remarks on the tuning job `name`, made as its trials end: an objective that no line gave, which each trial
    is told and the tuning job once; values that make no difference. What was said before is not said again, by this
    object or, after a kill, by another."""

    def __init__(self, store: Store, name: str, clock: Callable[[], float], folders: TrialFolders) -> None:
        self._store = store
        self._name = name
        self._clock = clock
        self._folders = folders
        self._objectives: list[float | None] = []
        self._unmatched = False

    def hear(self, definition: Definition, trial: TrainingJob, value: float | None) -> TrainingJob:
        """Take in a trial of `definition` that has ended with the objective `value`; the trial, with what is said of
        it."""
        self._objectives.append(value)
        if value is not None:
            self._compare(value)
        elif trial.status is TrainingStatus.COMPLETED:
            trial = self._without_objective(definition, trial)
            self._unmatched = True
        return trial

    def _compare(self, value: float) -> None:
        if len(self._objectives) == _ALIKE and len(set(self._objectives)) == 1:
            self._note(
                f"{_ALIKE} trials with different values all came to exactly {value:.6g}: "
                "the script may not use them; see the first lines of the trials' logs"
            )

    def _without_objective(self, definition: Definition, trial: TrainingJob) -> TrainingJob:
        if trial.unmatched:
            return trial
        regex = next((each.regex for each in definition.training.metrics if each.name == definition.metric), "")
        text = self._folders.unmatched(trial.name, definition.metric, regex)
        if text in trial.notes:  # Where a version wrote it that had no field for it.
            return trial
        if not self._unmatched:
            self._note(text)
        self._folders.say(trial.name, f"sagehound: {text}")
        return self._store.update(TrainingJob, trial.name, lambda there: there.evolve(unmatched=text))

    def _note(self, text: str) -> None:
        _LOG.warning("tuning job %s: %s", self._name, text)

        def change(job: TuningJob) -> TuningJob:
            return job if text in job.notes else job.evolve(notes=(*job.notes, text), modified_at=self._clock())

        self._store.update(TuningJob, self._name, change)
