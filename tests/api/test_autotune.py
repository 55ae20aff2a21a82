"""Ranges around example values."""

import pytest

from sagehound.api.autotune import JOBS, RETRIES, around, autotuned
from sagehound.api.tuning_spec import tuning_document, tuning_spec
from sagehound.errors import InvalidInput
from tests.api import requests
from tests.api.shapes import assert_request

HINTS = {"lr": "0.01", "momentum": "0.9", "batch-size": "64", "seed": "7", "model": '"resnet50"', "epochs": "3"}


def request(hints=HINTS, enabled=True, limits=None, **config):
    asked = requests.tuning(**config)
    auto = [{"Name": name, "ValueHint": hint} for name, hint in hints.items()]
    asked["HyperParameterTuningJobConfig"]["ParameterRanges"] = {"AutoParameters": auto}
    asked["HyperParameterTuningJobConfig"]["ResourceLimits"] = limits or {"MaxParallelTrainingJobs": 2}
    del asked["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"]
    if enabled:
        asked["Autotune"] = {"Mode": "Enabled"}
    assert_request("sagemaker", "CreateHyperParameterTuningJob", asked)
    return asked


@pytest.mark.parametrize(
    ("name", "hint", "low", "high", "scaling"),
    [
        ("lr", "0.01", "0.001", "0.1", "Logarithmic"),
        ("lr", "1e-4", "0.00001", "0.001", "Logarithmic"),
        ("dropout", "0.2", "0.02", "0.6", "Logarithmic"),
        ("momentum", "0.9", "0", "0.99", "ReverseLogarithmic"),
        ("beta2", "0.999", "0.99", "0.9999", "ReverseLogarithmic"),
        ("temperature", "2.5", "0.25", "25", "Logarithmic"),
        ("batch-size", "64", "16", "256", "Logarithmic"),
        ("hidden", "2", "1", "8", "Logarithmic"),
    ],
)
def test_a_number_is_searched_around_its_example(name, hint, low, high, scaling):
    _, made = around(name, hint)
    assert (made["MinValue"], made["MaxValue"], made["ScalingType"]) == (low, high, scaling)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("model", '"resnet50"'),
        ("lr", '"0.1"'),
        ("pretrained", "true"),
        ("weight-decay", "0.0"),
        ("layers", "1"),
        ("margin", "-0.5"),
        ("num-classes", "133"),
        ("random_seed", "42"),
        ("num_workers", "8"),
        ("image-size", "224"),
        ("sagemaker_region", "0.5"),
    ],
)
def test_what_is_no_choice_of_training_keeps_its_value(name, hint):
    assert around(name, hint) is None


def test_autotune_makes_a_plain_request():
    made = autotuned(request())
    assert_request("sagemaker", "CreateHyperParameterTuningJob", made)
    spec = tuning_spec(made)
    assert {each.name for each in spec.definitions[0].ranges} == {"lr", "momentum", "batch-size"}
    static = spec.training.hyperparameters
    assert (static["seed"], static["model"], static["epochs"]) == ("7", '"resnet50"', "3")
    assert (spec.max_jobs, spec.early_stopping, spec.criteria.on_convergence) == (JOBS, True, True)
    assert spec.training.retries == RETRIES


def test_what_the_request_says_itself_stays():
    asked = request(limits={"MaxParallelTrainingJobs": 2, "MaxNumberOfTrainingJobs": 5}, Strategy="Random")
    asked["TrainingJobDefinition"]["RetryStrategy"] = {"MaximumRetryAttempts": 9}
    asked["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] = "Off"
    spec = tuning_spec(autotuned(asked))
    assert (spec.max_jobs, spec.early_stopping, spec.training.retries) == (5, False, 9)


def test_there_are_no_more_trials_than_combinations():
    assert tuning_spec(autotuned(request({"depth": "2"}))).max_jobs == 8


def test_definitions_of_several_are_tuned_each():
    asked = request()
    config = asked["HyperParameterTuningJobConfig"]
    definition = asked.pop("TrainingJobDefinition") | {
        "TuningObjective": config.pop("HyperParameterTuningJobObjective"),
        "HyperParameterRanges": config.pop("ParameterRanges"),
    }
    asked["TrainingJobDefinitions"] = [{**definition, "DefinitionName": name} for name in ("a", "b")]
    spec = tuning_spec(autotuned(asked))
    assert [[each.name for each in definition.ranges] for definition in spec.definitions] == [
        ["lr", "momentum", "batch-size"]
    ] * 2


def test_describe_shows_the_ranges_that_were_chosen():
    shown = tuning_document(autotuned(request()))
    ranges = shown["HyperParameterTuningJobConfig"]["ParameterRanges"]
    assert [each["Name"] for each in ranges["ContinuousParameterRanges"]] == ["lr", "momentum"]
    assert [each["Name"] for each in ranges["AutoParameters"]] == list(HINTS)
    assert shown["Autotune"] == {"Mode": "Enabled"}


def test_examples_without_autotune_and_nothing_to_search_are_refused():
    with pytest.raises(InvalidInput, match="AutoParameters goes with Autotune"):
        autotuned(request(enabled=False))
    with pytest.raises(InvalidInput, match="nothing to search among model, seed"):
        autotuned(request({"model": '"a"', "seed": "1"}))


def test_a_request_without_autotune_is_left_alone():
    asked = requests.tuning()
    assert autotuned(asked) is asked
