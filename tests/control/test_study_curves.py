"""Studies that listen to their trials while they train; and that are killed while they do."""

import random
from pathlib import Path
from typing import Any

import pytest

from sagehound.control.study import Study
from sagehound.control.trial_folders import TrialFolders
from sagehound.records.training import TrainingStatus
from sagehound.records.tuning import Criteria, ParameterRange, TuningJob, TuningStatus, best_trial
from sagehound.store.sqlite import SqliteStore
from tests.control.mortal_store import Killed, MortalStore
from tests.control.simulated_training import Training, run, slow_learner
from tests.control.tuning_jobs import BATCH, EPOCHS, NOW, trials, tuning_job

HYPERBAND = {"strategy": "Hyperband", "least_resource": 1, "most_resource": 9}
WIDTH = ParameterRange(name="width", type="Categorical", values=tuple(f'"{n}"' for n in range(5)))
STRATEGIES = {
    "Bayesian": {"strategy": "Bayesian"},
    "Random": {"strategy": "Random"},
    "Grid": {"strategy": "Grid", "ranges": (BATCH, EPOCHS, WIDTH)},
    "Hyperband": HYPERBAND,
    "early stopping": {"strategy": "Bayesian", "early_stopping": True},
    "early stopping of a grid": {"strategy": "Grid", "ranges": (BATCH, EPOCHS, WIDTH), "early_stopping": True},
}


@pytest.fixture
def store(tmp_path: Path):
    store = SqliteStore(tmp_path / "records.db")
    yield store
    store.close()


def study(store: SqliteStore) -> Study:
    return Study(store, "dogs", lambda: NOW, TrialFolders(store.path.parent / "jobs", lambda: NOW))


def finish(store: SqliteStore, epochs: int = 9, learning=slow_learner) -> TuningJob:
    run(study(store), Training(store, store.path.parent / "jobs", epochs, learning))
    return store.get(TuningJob, "dogs")


def test_hyperband_stops_what_is_not_among_the_best_and_gives_the_rest_all(store):
    store.insert(tuning_job(max_jobs=27, max_parallel=1, **HYPERBAND))
    job = finish(store)
    assert job.status is TuningStatus.COMPLETED
    own = trials(store)
    stopped = [trial for trial in own if trial.status is TrainingStatus.STOPPED]
    assert 0 < len(stopped) < 27
    assert all("not among the best" in trial.stop_reason for trial in stopped)
    spent = sum(len(Training(store, store.path.parent / "jobs").printed(trial.name)) for trial in own)
    assert spent < 27 * 9 * 0.7
    assert best_trial(job, own).status is TrainingStatus.COMPLETED


def test_a_trial_that_ends_with_its_last_epoch_is_left_to_end_by_itself(store):
    store.insert(tuning_job(max_jobs=1, max_parallel=1, **HYPERBAND))
    finish(store, epochs=9)
    (trial,) = trials(store)
    assert (trial.status, trial.finished) == (TrainingStatus.COMPLETED, False)


def test_a_trial_that_goes_on_after_its_last_epoch_is_stopped_and_counts(store):
    store.insert(tuning_job(max_jobs=1, max_parallel=1, **HYPERBAND))
    job = finish(store, epochs=1000)
    (trial,) = trials(store)
    assert (trial.status, trial.finished) == (TrainingStatus.STOPPED, True)
    assert "MaxResource" in trial.stop_reason
    assert len(Training(store, store.path.parent / "jobs").printed(trial.name)) == 10
    assert best_trial(job, [trial]) is trial
    assert best_trial(job, [trial.evolve(artifacts_uri="")]) is None


def test_early_stopping_ends_trials_that_are_worse_than_the_median(store):
    store.insert(tuning_job(max_jobs=20, max_parallel=2, early_stopping=True))
    finish(store)
    stopped = [trial for trial in trials(store) if trial.status is TrainingStatus.STOPPED]
    assert stopped
    assert all("median" in trial.stop_reason for trial in stopped)


def test_without_early_stopping_no_curve_is_looked_at(store):
    store.insert(tuning_job(max_jobs=3, max_parallel=2))
    own = study(store)
    training = Training(store, store.path.parent / "jobs")
    own.advance()
    own.advance(*training.step())
    assert own.watched == frozenset()


def test_only_trials_that_train_are_watched(store):
    store.insert(tuning_job(max_jobs=3, max_parallel=2, early_stopping=True))
    own = study(store)
    training = Training(store, store.path.parent / "jobs")
    own.advance()
    assert own.watched == frozenset()
    own.advance(*training.step())
    assert own.watched == {trials(store)[0].name}
    assert study(store).watched == frozenset()  # It has not looked yet.


def test_a_target_ends_the_search_and_stops_what_runs(store):
    store.insert(tuning_job(max_jobs=30, max_parallel=3, criteria=Criteria(target=1000.0)))
    job = finish(store)
    assert (job.status, job.failure_reason) == (TuningStatus.COMPLETED, "")
    assert "reached the target" in job.complete_because
    statuses = [trial.status.value for trial in trials(store)]
    assert statuses == ["Completed", "Stopped", "Stopped"]
    assert all("target" in trial.stop_reason for trial in trials(store)[1:])


def test_convergence_is_dated(store):
    store.insert(tuning_job(max_jobs=40, max_parallel=1, criteria=Criteria(on_convergence=True)))
    job = finish(store, epochs=1, learning=lambda trial, epoch: 1.0 + float(trial.tuned["lr"]) / 1000)
    assert (job.status, job.converged_at) == (TuningStatus.COMPLETED, NOW)
    assert 20 <= len(trials(store)) < 40


def facts(store: SqliteStore) -> list[Any]:
    return [(trial.name, trial.tuned, trial.status, trial.metrics, trial.stop_reason) for trial in trials(store)]


@pytest.mark.parametrize("spec", STRATEGIES.values(), ids=STRATEGIES)
def test_a_hundred_kills_at_random_points_lose_and_double_nothing(tmp_path, spec):
    """The service dies before a write, after one, or between two; its trials are where they were."""
    whole = SqliteStore(tmp_path / "whole" / "records.db")
    whole.insert(tuning_job(max_jobs=30, max_parallel=1, **spec))
    finish(whole)
    store = MortalStore(tmp_path / "killed" / "records.db")
    store.insert(tuning_job(max_jobs=30, max_parallel=1, **spec))
    training, deaths = torn(store, random.Random("kills"))
    assert deaths >= 100
    assert facts(store) == facts(whole)
    assert set(training.begun.values()) == {1}
    assert store.get(TuningJob, "dogs").status is TuningStatus.COMPLETED
    assert len(trials(store)) == 30
    store.close()
    whole.close()


@pytest.mark.parametrize("spec", [HYPERBAND, STRATEGIES["early stopping"]], ids=["Hyperband", "early stopping"])
def test_trials_that_go_on_while_the_service_is_dead_are_judged_when_it_is_back(tmp_path, spec):
    store = MortalStore(tmp_path / "records.db")
    store.insert(tuning_job(max_jobs=30, max_parallel=3, **spec))
    training, deaths = torn(store, random.Random("more kills"), meanwhile=4)
    assert deaths >= 100
    own = trials(store)
    assert [int(trial.name[5:8]) for trial in own] == list(range(1, 31))
    assert all(trial.status.ended for trial in own)
    assert set(training.begun.values()) == {1}
    assert any(trial.stop_reason for trial in own)
    store.close()


def torn(store: MortalStore, chance: random.Random, meanwhile: int = 0) -> tuple[Training, int]:
    """Run a study that is killed again and again. `meanwhile`: so many steps, at most, that trials go on without it."""
    world = SqliteStore(store.path)
    training = Training(world, store.path.parent / "jobs")
    own, news, deaths = study(store), ([], []), 0  # type: tuple[Study, tuple[list[TrainingJob], list[str]], int]
    while True:
        store.lives, store.before = chance.randint(1, 2), chance.random() < 0.5
        try:
            if chance.random() < 0.5:
                raise Killed
            if own.advance(*news) is None:
                world.close()
                return training, deaths
            news = training.step()
        except Killed:
            own, news, deaths = study(store), ([], []), deaths + 1
            for _ in range(chance.randint(0, meanwhile)):
                training.step()
