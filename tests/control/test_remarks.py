"""What is said of trials, once each."""

from dataclasses import replace
from pathlib import Path

import pytest

from sagehound.control.remarks import Remarks
from sagehound.control.trial_folders import TrialFolders
from sagehound.records.training import TrainingJob, TrainingStatus
from sagehound.records.tuning import TuningJob
from sagehound.store.sqlite import SqliteStore
from tests.control.tuning_jobs import NOW, tuning_job


@pytest.fixture
def store(tmp_path: Path):
    store = SqliteStore(tmp_path / "records.db")
    store.insert(tuning_job())
    yield store
    store.close()


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


def remarks(store: SqliteStore, jobs: Path) -> Remarks:
    return Remarks(store, "dogs", lambda: NOW, TrialFolders(jobs, lambda: NOW))


def trial(store: SqliteStore, jobs: Path, number: int, **fields: object) -> TrainingJob:
    """A trial that completed and printed its loss in other letters than were asked for."""
    name = f"dogs-{number:03d}-00000000"
    (jobs / name).mkdir(parents=True)
    (jobs / name / "algo-1.log").write_text("1 Loss: 0.25\n")
    made = TrainingJob(
        name=name, created_at=NOW, modified_at=NOW, arn="a", spec=tuning_job().spec.training, document={}, parent="dogs"
    )
    made = replace(made, status=TrainingStatus.COMPLETED, **fields)
    store.insert(made)
    return made


def hear(own: Remarks, job: TrainingJob, value: float | None = None) -> TrainingJob:
    return own.hear(tuning_job().spec.definitions[0], job, value)


def notes(store: SqliteStore) -> tuple[str, ...]:
    return store.get(TuningJob, "dogs").notes


def log(jobs: Path, job: TrainingJob) -> str:
    return (jobs / job.name / "algo-1.log").read_text()


def test_each_trial_without_an_objective_is_told_and_the_tuning_job_once(store, jobs):
    own = remarks(store, jobs)
    first, second = (hear(own, trial(store, jobs, number)) for number in (1, 2))
    assert first.unmatched.startswith(f"no line of {first.name}'s log gave the objective 'loss'")
    assert second.unmatched.startswith(f"no line of {second.name}'s log")
    assert store.get(TrainingJob, second.name).remarks == (second.unmatched,)
    assert notes(store) == (first.unmatched,)
    assert log(jobs, second).endswith(f"sagehound: {second.unmatched}\n")


def test_after_a_kill_nothing_is_said_again(store, jobs):
    first = hear(remarks(store, jobs), trial(store, jobs, 1))
    said = log(jobs, first)
    own = remarks(store, jobs)
    assert hear(own, first) is first
    hear(own, trial(store, jobs, 2))
    assert notes(store) == (first.unmatched,)
    assert log(jobs, first) == said


def test_what_an_older_version_said_among_the_notes_is_not_said_again(store, jobs):
    text = hear(remarks(store, jobs), trial(store, jobs, 1)).unmatched
    store.update(TrainingJob, "dogs-001-00000000", lambda job: job.evolve(unmatched="", notes=("momentum", text)))
    own, older = remarks(store, jobs), store.get(TrainingJob, "dogs-001-00000000")
    assert hear(own, older).remarks == ("momentum", text)
    hear(own, trial(store, jobs, 2))
    assert notes(store) == (text,)
    assert log(jobs, older).count("sagehound: ") == 1


def test_another_note_of_the_same_words_is_no_remark_on_the_objective(store, jobs):
    other = "your script gave the objective no name"
    store.update(TuningJob, "dogs", lambda job: job.evolve(notes=(other,)))
    told = hear(remarks(store, jobs), trial(store, jobs, 1, notes=(other,)))
    assert told.remarks == (other, told.unmatched)
    assert notes(store) == (other, told.unmatched)


def test_four_equal_objectives_are_worth_a_word_and_no_fifth(store, jobs):
    own = remarks(store, jobs)
    for number in range(1, 7):
        hear(own, trial(store, jobs, number), 0.5)
    (note,) = notes(store)
    assert note.startswith("4 trials with different values all came to exactly 0.5")


@pytest.mark.parametrize("status", (TrainingStatus.FAILED, TrainingStatus.STOPPED))
def test_a_trial_that_did_not_complete_has_no_need_of_one(store, jobs, status):
    job = replace(trial(store, jobs, 1), status=status)
    assert hear(remarks(store, jobs), job) is job
    assert notes(store) == ()
