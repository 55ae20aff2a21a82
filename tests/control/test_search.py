"""What is searched in one definition."""

import dataclasses

from sagehound.control.search import Search
from sagehound.control.trial_jobs import trial_job
from sagehound.records.training import TrainingStatus
from tests.control.tuning_jobs import BATCH, EPOCHS, LR, NOW, tuning_job


def with_two(**spec):
    job = tuning_job(**spec)
    (first,) = job.spec.definitions
    definitions = (first, dataclasses.replace(first, name="second"))
    return dataclasses.replace(job, spec=dataclasses.replace(job.spec, definitions=definitions))


def test_the_same_seed_searches_alike_and_each_definition_otherwise():
    job = with_two(strategy="Random", seed=3)
    first, second = (Search(job, definition).ask() for definition in job.spec.definitions)
    alone = tuning_job(strategy="Random", seed=3)
    assert first == Search(alone, alone.spec.definitions[0]).ask()
    assert first != second


def test_without_a_seed_another_tuning_job_searches_otherwise():
    one, same, other = (tuning_job(name, strategy="Random", seed=None) for name in ("a", "a", "b"))
    asked = [Search(job, job.spec.definitions[0]).ask() for job in (one, same, other)]
    assert asked[0] == asked[1] != asked[2]


def test_a_search_with_parents_does_not_try_again_what_they_tried_with_its_seed():
    parent, child, again = (
        tuning_job(name, strategy="Random", seed=3, parents=parents)
        for name, parents in (("a", ()), ("b", ("a",)), ("c", ("a",)))
    )
    asked = [Search(job, job.spec.definitions[0]).ask() for job in (parent, child, again)]
    assert asked[0] != asked[1] == asked[2]


def test_a_finite_space_is_exhausted_after_its_last_trial():
    job = tuning_job(strategy="Grid", ranges=(BATCH, EPOCHS), max_jobs=6)
    search = Search(job, job.spec.definitions[0])
    for number in range(1, 7):
        assert not search.exhausted
        search.tell(trial_job(job, search.definition, number, search.ask(), NOW, 1), None, ())
    assert search.exhausted


def test_parents_trials_outside_the_ranges_say_nothing():
    job = tuning_job(ranges=(LR,), strategy="Bayesian", seed=1)
    definition = job.spec.definitions[0]
    inside = trial_job(job, definition, 1, {"lr": "0.05"}, NOW, 1)
    outside = trial_job(job, definition, 2, {"lr": "5.0"}, NOW, 1)
    other = trial_job(job, definition, 3, {"momentum": "0.9"}, NOW, 1)
    search, plain = Search(job, definition), Search(job, definition)
    search.inherit([(outside, 0.1), (other, 0.2)])
    assert search.asked == 0
    assert search.ask() == plain.ask()
    search.inherit([(inside, 0.3)])
    assert search.asked == 0


def test_a_static_value_of_a_parent_is_one_that_it_tried():
    job = tuning_job(ranges=(LR,), strategy="Grid")
    definition = dataclasses.replace(tuning_job(ranges=(BATCH,)).spec.definitions[0])
    wide = dataclasses.replace(job, spec=dataclasses.replace(job.spec, definitions=(definition,)))
    search = Search(wide, definition)
    trial = trial_job(job, job.spec.definitions[0], 1, {"lr": "0.05"}, NOW, 1)
    spec = dataclasses.replace(trial.spec, hyperparameters={**trial.spec.hyperparameters, "batch_size": '"32"'})
    search.inherit([(dataclasses.replace(trial, spec=spec), 0.5)])
    assert search.ask() == {"batch_size": '"32"'}  # a grid keeps its order, whatever was told


def test_a_finished_trial_counts_as_completed_and_a_stopped_one_is_judged_no_more():
    job = tuning_job(strategy="Hyperband", ranges=(LR,), least_resource=1, most_resource=3)
    search = Search(job, job.spec.definitions[0])
    trial = trial_job(job, search.definition, 1, search.ask(), NOW, 1)
    search.tell(trial, None, (0.5, 0.4, 0.3))
    verdict = search.verdict(trial)
    assert verdict is not None
    assert verdict.finished
    search.tell(trial.evolve(status=TrainingStatus.STOPPED, finished=True), 0.3, (0.5, 0.4, 0.3))
    assert search.verdict(trial) is None
