"""One tuning job at work, step by step."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from sagehound.control.study import Study
from sagehound.control.trial_folders import TrialFolders
from sagehound.errors import InvalidInput, JobFailure
from sagehound.records.rules import DebugRule
from sagehound.records.tags import TagSet
from sagehound.records.training import Metric, SecondaryStatus, TrainingJob, TrainingStatus
from sagehound.records.tuning import ParameterRange, TuningJob, TuningStatus, best_trial, objective_status
from sagehound.store.sqlite import SqliteStore
from tests.control.mortal_store import Killed, MortalStore
from tests.control.tuning_jobs import BATCH, EPOCHS, NOW, complete, difficulty, trials, tuning_job


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path):
    store = SqliteStore(tmp_path / "records.db")
    yield store
    store.close()


def study(store: SqliteStore, clock: Callable[[], float] = lambda: NOW) -> Study:
    return Study(store, "dogs", clock, TrialFolders(store.path.parent / "jobs", clock), cores=8, side_by_side=4)


def finish(store: SqliteStore, script=difficulty) -> TuningJob:
    """Run the tuning job to its end, ending the first running trial each time."""
    own, ended = study(store), ()
    while own.advance(ended) is not None:
        first = next(trial for trial in trials(store) if not trial.status.ended)
        ended = (complete(store, first.name, script),)
    return store.get(TuningJob, "dogs")


def test_trials_are_training_jobs_with_the_static_and_the_tuned_values(store):
    store.insert(tuning_job())
    assert study(store).advance() == math.inf
    first, second = trials(store)
    assert first.name.startswith("dogs-001-")
    assert second.name.startswith("dogs-002-")
    assert first.arn == f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{first.name}"
    assert (first.parent, first.document) == ("dogs", {"RoleArn": "arn:aws:iam::000000000000:role/r"})
    assert first.tuned.keys() == {"lr", "batch_size", "epochs"}
    assert first.tuned["batch_size"] in BATCH.values
    assert first.spec.hyperparameters == {
        "sagemaker_program": '"hpo.py"',
        "sagemaker_container_log_level": "20",
        "_tuning_objective_metric": "loss",
        **first.tuned,
    }
    assert [stretch.status for stretch in first.history] == ["Pending"]


def test_the_objective_is_named_though_the_request_did_not(store):
    job = tuning_job()
    bare = job.spec.training.__class__(output_uri="s3://b/", instance_type="ml.m5.large")
    store.insert(tuning_job(training=bare, metric="average test loss"))
    study(store).advance()
    assert trials(store)[0].spec.hyperparameters["_tuning_objective_metric"] == "average test loss"


@pytest.mark.parametrize(("parallel", "threads"), [(1, 8), (2, 4), (3, 2), (10, 2)])
def test_parallel_trials_share_the_cores(store, parallel, threads):
    store.insert(tuning_job(max_parallel=parallel, max_jobs=20))
    study(store).advance()
    assert {trial.threads for trial in trials(store)} == {threads}
    assert len(trials(store)) == parallel


def test_the_hosts_of_a_trial_share_its_cores(store):
    job = tuning_job(max_parallel=1)
    training = dataclasses.replace(job.spec.training, instance_count=2)
    store.insert(tuning_job(max_parallel=1, training=training))
    study(store).advance()
    assert trials(store)[0].threads == 4


def test_a_tuning_job_completes_with_its_best_trial(store):
    store.insert(tuning_job(max_jobs=12))
    job = finish(store)
    assert (job.status, job.failure_reason, job.ended_at) == (TuningStatus.COMPLETED, "", NOW)
    own = trials(store)
    assert len(own) == 12
    best = best_trial(job, own)
    assert best is not None
    assert difficulty(best) == min(difficulty(trial) for trial in own)


def test_grid_tries_every_combination_once(store):
    store.insert(tuning_job(strategy="Grid", ranges=(BATCH, EPOCHS), max_jobs=6))
    assert finish(store).status is TuningStatus.COMPLETED
    assert len({tuple(trial.tuned.items()) for trial in trials(store)}) == 6


def test_trials_that_fail_are_counted_and_passed_over(store):
    def script(trial: TrainingJob) -> float | None:
        if trial.name.startswith("dogs-001-"):
            raise RuntimeError("CUDA is not there")
        return None if trial.name.startswith("dogs-002-") else difficulty(trial)

    store.insert(tuning_job())
    job = finish(store, script)
    assert job.status is TuningStatus.COMPLETED
    statuses = [objective_status(job, trial) for trial in trials(store)]
    assert statuses == ["Failed", "Failed", "Succeeded", "Succeeded"]


def raising(trial: TrainingJob) -> float | None:
    raise RuntimeError(f"ValueError at hpo.py:7 in {trial.name[:8]}")


def test_when_every_trial_fails_the_reason_names_the_first_cause(store):
    store.insert(tuning_job())
    job = finish(store, raising)
    assert job.status is TuningStatus.FAILED
    first = trials(store)[0].name
    assert job.failure_reason == (
        f"All training jobs failed. All 4 for the same reason (the first is {first}): "
        "ValueError at hpo.py:7 in dogs-001"
    )


def test_after_five_failures_and_no_success_no_more_are_tried(store):
    store.insert(tuning_job(max_jobs=40))
    job = finish(store, raising)
    assert len(trials(store)) == 6  # the sixth ran beside the fifth
    assert job.failure_reason.startswith("No training job succeeded after 6 attempts. All 6 for the same reason (")


def test_an_objective_that_no_trial_prints_is_told_with_its_regex(store):
    store.insert(tuning_job())
    job = finish(store, lambda trial: None)
    assert job.status is TuningStatus.FAILED
    assert job.failure_reason.startswith("No objective metrics found after running 4 training jobs.")
    assert "'loss: ([0-9.]+)'" in job.failure_reason


def test_stop_stops_the_running_trials_and_then_the_tuning_job(store):
    store.insert(tuning_job())
    own = study(store)
    own.advance()
    own.advance([complete(store, trials(store)[0].name)])
    store.update(TuningJob, "dogs", lambda job: job.evolve(status=TuningStatus.STOPPING))
    assert own.advance() == math.inf
    running = [trial for trial in trials(store) if trial.status is TrainingStatus.STOPPING]
    assert len(running) == 2
    assert store.get(TuningJob, "dogs").status is TuningStatus.STOPPING
    assert own.advance([complete(store, trial.name) for trial in running]) is None
    assert store.get(TuningJob, "dogs").status is TuningStatus.STOPPED
    assert len(trials(store)) == 3


def test_a_tuning_job_that_runs_out_of_time_keeps_what_it_found(store):
    clock = Clock()
    store.insert(tuning_job(max_runtime_s=60, max_jobs=100))
    own = study(store, clock)
    assert own.advance() == 60.0
    clock.now += 50
    assert own.advance([complete(store, trials(store)[0].name)]) == 10.0
    clock.now += 10
    assert own.advance() == math.inf
    assert own.advance([complete(store, trial.name) for trial in trials(store)[1:]]) is None
    assert store.get(TuningJob, "dogs").status is TuningStatus.COMPLETED
    assert len(trials(store)) == 3


def test_a_tuning_job_without_time_for_one_trial_says_so(store):
    clock = Clock()
    store.insert(tuning_job(max_runtime_s=60))
    own = study(store, clock)
    own.advance()
    clock.now += 60
    own.advance()
    assert own.advance([complete(store, trial.name) for trial in trials(store)]) is None
    job = store.get(TuningJob, "dogs")
    assert job.status is TuningStatus.FAILED
    assert "2 were stopped" in job.failure_reason
    assert "MaxRuntimeInSeconds is 60 s" in job.failure_reason


def test_an_impossible_range_is_an_error_that_names_it(store):
    bad = ParameterRange(name="lr", type="Continuous", low="1", high="0.1")
    store.insert(tuning_job(ranges=(bad,)))
    with pytest.raises(InvalidInput, match="range lr has minimum"):
        study(store).advance()


def test_a_training_job_of_another_kind_under_a_trials_name_is_an_error(store):
    store.insert(tuning_job())
    study(store).advance()
    stranger = trials(store)[0].evolve(parent="")
    store.delete(TrainingJob, stranger.name)
    store.insert(stranger)
    for trial in trials(store):
        store.delete(TrainingJob, trial.name)
    with pytest.raises(JobFailure, match="is no trial of dogs"):
        study(store).advance()


def test_the_same_seed_gives_the_same_trials_under_any_account(store, tmp_path):
    store.insert(tuning_job(max_jobs=12))
    finish(store)
    other = SqliteStore(tmp_path / "other.db")
    other.insert(tuning_job(max_jobs=12))
    finish(other)
    assert [trial.tuned for trial in trials(store)] == [trial.tuned for trial in trials(other)]
    other.close()


@pytest.mark.parametrize("before", [True, False])
def test_a_kill_at_any_write_loses_and_doubles_nothing(tmp_path, before):
    whole = SqliteStore(tmp_path / "whole.db")
    whole.insert(tuning_job(max_jobs=16))
    finish(whole)
    unbroken = [(trial.name, trial.tuned) for trial in trials(whole)]
    whole.close()
    for kill in range(1, 18):
        store = MortalStore(tmp_path / f"{before}{kill}.db")
        world = SqliteStore(tmp_path / f"{before}{kill}.db")
        store.insert(tuning_job(max_jobs=16))
        store.lives, store.before = kill, before
        own, ended, deaths = study(store), (), 0
        while True:
            try:
                if own.advance(ended) is None:
                    break
            except Killed:
                own, ended, deaths = study(store), (), deaths + 1
                continue
            first = next(trial for trial in trials(store) if not trial.status.ended)
            ended = (complete(world, first.name),)
        assert deaths == 1
        assert [(trial.name, trial.tuned) for trial in trials(store)] == unbroken
        assert store.get(TuningJob, "dogs").status is TuningStatus.COMPLETED
        store.close()
        world.close()


def test_a_trial_that_a_rule_stopped_counts_as_a_stopped_one_and_the_tuner_goes_on(store):
    rule = DebugRule(name="Overfit", invoked="Overfit")
    training = dataclasses.replace(tuning_job().spec.training, rules=(rule,))
    store.insert(tuning_job(max_jobs=2, max_parallel=1, training=training))
    own = study(store)
    own.advance()
    (first,) = trials(store)
    assert first.spec.rules == (rule,)
    store.update(TrainingJob, first.name, lambda trial: trial.asked_to_stop(NOW, "the rule Overfit fired"))
    metric = Metric(name="loss", value=0.001, at=NOW)
    stopped = store.update(
        TrainingJob,
        first.name,
        lambda trial: trial.enter(SecondaryStatus.STOPPED, NOW).evolve(
            status=TrainingStatus.STOPPED, metrics=(metric,)
        ),
    )
    own.advance([stopped])
    second = trials(store)[1]
    assert own.advance([complete(store, second.name, difficulty)]) is None
    ended = store.get(TuningJob, "dogs")
    assert ended.status is TuningStatus.COMPLETED
    assert objective_status(ended, stopped) == "Succeeded"
    assert best_trial(ended, trials(store)).name == second.name


def test_a_trial_has_its_own_checkpoints_and_the_tags_of_its_tuning_job(store):
    training = dataclasses.replace(tuning_job().spec.training, checkpoint_uri="s3://bucket/ckpt/")
    document = {"CheckpointConfig": {"S3Uri": "s3://bucket/ckpt/", "LocalPath": "/opt/ml/checkpoints"}}
    job = tuning_job(training=training, training_document=document)
    store.insert(TagSet(name=job.arn, created_at=NOW, modified_at=NOW, tags={"team": "pets"}))
    store.insert(job)
    study(store).advance()
    for trial in trials(store):
        assert trial.spec.checkpoint_uri == f"s3://bucket/ckpt/{trial.name}"
        assert trial.document["CheckpointConfig"]["S3Uri"] == trial.spec.checkpoint_uri
        assert store.get(TagSet, trial.arn).tags == {"team": "pets"}


def several(**spec) -> TuningJob:
    first = tuning_job().spec.definitions[0]
    plain = dataclasses.replace(first, name="plain", ranges=(BATCH,))
    training = dataclasses.replace(first.training, hyperparameters={})
    wide = dataclasses.replace(first, name="wide", metric="other", ranges=(BATCH, EPOCHS), training=training)
    job = tuning_job(strategy="Random", max_jobs=9, max_parallel=1)
    return dataclasses.replace(job, spec=dataclasses.replace(job.spec, definitions=(plain, wide), **spec))


def test_definitions_take_turns_until_one_has_nothing_left(store):
    store.insert(several(max_jobs=9))
    assert finish(store).status is TuningStatus.COMPLETED
    own = trials(store)
    assert [trial.definition for trial in own] == ["plain", "wide"] * 3 + ["wide"] * 3
    assert len({tuple(trial.tuned.items()) for trial in own}) == 9
    assert [trial.spec.hyperparameters["_tuning_objective_metric"] for trial in own[:2]] == ["loss", "other"]


def test_a_warm_start_knows_its_parents_results(store):
    store.insert(tuning_job(max_jobs=12, strategy="Random"))
    finish(store)
    child = tuning_job("child", max_jobs=1, max_parallel=1, parents=("dogs", "gone"), seed=5)
    store.insert(child)
    Study(store, "child", lambda: NOW, TrialFolders(store.path.parent, lambda: NOW)).advance()
    cold = tuning_job("cold", max_jobs=1, max_parallel=1, seed=5)
    store.insert(cold)
    Study(store, "cold", lambda: NOW, TrialFolders(store.path.parent, lambda: NOW)).advance()
    (warm,), (first,) = trials(store, "child"), trials(store, "cold")
    assert warm.tuned != first.tuned
    assert difficulty(warm) < sorted(difficulty(trial) for trial in trials(store))[6]


def test_values_that_make_no_difference_are_remarked_once(store):
    store.insert(tuning_job(max_jobs=8))
    job = finish(store, lambda trial: 0.5)
    assert len(job.notes) == 1
    assert job.notes[0].startswith("4 trials with different values all came to exactly 0.5")


def test_an_objective_that_is_not_found_is_noted_with_the_first_trial(store):
    folder = store.path.parent / "jobs"
    store.insert(tuning_job(max_jobs=3, max_parallel=1))
    own = study(store)
    own.advance()
    first = trials(store)[0].name
    (folder / first).mkdir(parents=True)
    (folder / first / "algo-1.log").write_text("1 begun\n2 Loss: 0.25\n")
    own.advance([complete(store, first, lambda trial: None)])
    (note,) = store.get(TuningJob, "dogs").notes
    assert "'Loss: 0.25' (the same words with other capital letters)" in note
    assert store.get(TrainingJob, first).remarks == (note,)
    assert (folder / first / "algo-1.log").read_text().endswith(f"sagehound: {note}\n")
    assert study(store).advance() is not None
    assert store.get(TrainingJob, first).remarks == (note,)
