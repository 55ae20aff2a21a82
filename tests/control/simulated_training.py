"""A double of the training loop whose trials print one objective an epoch, when the test says so."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

from sagehound.control.study import Study
from sagehound.jobs.metrics import METRICS_FILE, datapoints
from sagehound.records.training import Metric, SecondaryStatus, TrainingJob, TrainingStatus
from sagehound.store.store import Store
from tests.control.tuning_jobs import NOW, difficulty, trials

#: The objective of a trial after so many epochs (from 1).
Learning = Callable[[TrainingJob, int], float]


def slow_learner(trial: TrainingJob, epoch: int) -> float:
    """Falls to what the trial's values come to, with a bump that only the name decides, so that curves cross."""
    bump = random.Random(f"{trial.name[:8]} {epoch}").random() / 10
    value = difficulty(trial)
    assert value is not None
    return value + (1 + bump) / epoch


class Training:
    """The trials of one tuning job. What a trial has printed is in its folder, how it ended in the store: a service
    that dies in between changes nothing here. `begun` counts how often each was started."""

    def __init__(self, store: Store, jobs: Path, epochs: int = 9, learning: Learning = slow_learner) -> None:
        self._store = store
        self._jobs = jobs
        self._epochs = epochs
        self._learning = learning
        self.begun: dict[str, int] = {}

    def printed(self, name: str) -> list[float]:
        return [point.value for point in datapoints(self._jobs / name)]

    def step(self) -> tuple[list[TrainingJob], list[str]]:
        """The first trial that goes on does one thing: it begins, trains an epoch, or ends. What a study would hear."""
        trial = next((trial for trial in trials(self._store) if not trial.status.ended), None)
        if trial is None:
            return [], []
        if trial.status is TrainingStatus.STOPPING:
            return [self._end(trial, TrainingStatus.STOPPED)], []
        if not trial.has_trained:
            return [self._begin(trial)], []
        if len(self.printed(trial.name)) >= self._epochs:
            return [self._end(trial, TrainingStatus.COMPLETED)], []
        self._print(trial, len(self.printed(trial.name)) + 1)
        return [], [trial.name]

    def _begin(self, trial: TrainingJob) -> TrainingJob:
        self.begun[trial.name] = self.begun.get(trial.name, 0) + 1
        (self._jobs / trial.name).mkdir(parents=True)
        return self._store.update(TrainingJob, trial.name, lambda job: job.enter(SecondaryStatus.TRAINING, NOW))

    def _print(self, trial: TrainingJob, epoch: int) -> None:
        with (self._jobs / trial.name / METRICS_FILE).open("a") as file:
            file.write(json.dumps({"name": "loss", "value": self._learning(trial, epoch), "at": NOW}) + "\n")

    def _end(self, trial: TrainingJob, status: TrainingStatus) -> TrainingJob:
        metrics = tuple(Metric(name="loss", value=value, at=NOW) for value in self.printed(trial.name)[-1:])
        ended = SecondaryStatus(status.value)
        return self._store.update(
            TrainingJob,
            trial.name,
            lambda job: job.enter(ended, NOW).evolve(status=status, metrics=metrics, artifacts_uri="s3://b/model"),
        )


def run(study: Study, training: Training) -> None:
    """To the end of the tuning job."""
    news: tuple[list[TrainingJob], list[str]] = ([], [])
    while study.advance(*news) is not None:
        news = training.step()
