"""How far a tuning job may go."""

import math

import pytest

from sagehound.api.tuning_limits import criteria, resource
from sagehound.errors import InvalidInput
from sagehound.records.tuning import Criteria
from sagehound.tuning.resource import Resource
from tests.api import requests
from tests.api.shapes import assert_request


def config(**changes):
    request = requests.tuning(**changes)
    assert_request("sagemaker", "CreateHyperParameterTuningJob", request)
    return request["HyperParameterTuningJobConfig"]


def hyperband(**given):
    return config(Strategy="Hyperband", **({"StrategyConfig": {"HyperbandStrategyConfig": given}} if given else {}))


def test_hyperbands_resource_is_what_was_given():
    assert resource(hyperband(MinResource=2, MaxResource=27), [{}]) == Resource(2, 27)
    assert resource(hyperband(MaxResource=27), [{}]) == Resource(1, 27)


@pytest.mark.parametrize("name", ["epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs"])
def test_the_most_epochs_are_inferred_from_the_documented_hyperparameters(name):
    assert resource(hyperband(MinResource=3), [{name: '"9"'}]) == Resource(3, 9)
    assert resource(hyperband(), [{name: "9"}, {name: "12"}]) == Resource(1, 12)


@pytest.mark.parametrize(
    ("asked", "static", "words"),
    [
        (lambda: hyperband(), {"epochs": "many"}, "Hyperband needs MaxResource"),
        (lambda: hyperband(MinResource=9, MaxResource=3), {}, "MinResource 9 and MaxResource 3"),
        (lambda: hyperband(MaxResource=20_001), {}, "20001"),
        (lambda: config(StrategyConfig={"HyperbandStrategyConfig": {"MaxResource": 9}}), {}, "not Bayesian"),
        (
            lambda: hyperband(MaxResource=9) | {"TrainingJobEarlyStoppingType": "Auto"},
            {},
            "TrainingJobEarlyStoppingType must be Off",
        ),
    ],
)
def test_a_resource_that_cannot_be_is_refused(asked, static, words):
    with pytest.raises(InvalidInput, match=words):
        resource(asked(), [static])


def test_other_strategies_have_no_resource():
    assert resource(config(), [{"epochs": "9"}]) is None


def test_completion_criteria():
    given = {
        "TargetObjectiveMetricValue": 0.25,
        "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 7},
        "ConvergenceDetected": {"CompleteOnConvergence": "Enabled"},
    }
    asked = config(TuningJobCompletionCriteria=given)
    assert criteria(asked) == Criteria(target=0.25, most_not_improving=7, on_convergence=True)
    disabled = {"ConvergenceDetected": {"CompleteOnConvergence": "Disabled"}}
    assert criteria(config(TuningJobCompletionCriteria=disabled)) == criteria(config()) == Criteria()


def test_a_target_that_is_no_number_is_refused():
    with pytest.raises(InvalidInput, match="TargetObjectiveMetricValue is nan"):
        criteria({"TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": math.nan}})
