"""One training definition, or several with objectives and ranges of their own."""

import pytest

from sagehound.api.tuning_definitions import asked
from sagehound.api.tuning_spec import tuning_document, tuning_spec
from sagehound.errors import InvalidInput
from tests.api import requests
from tests.api.shapes import assert_request

OBJECTIVE = {"Type": "Minimize", "MetricName": "average test loss"}


def several(*definitions, **config):
    request = requests.tuning(**config)
    del request["TrainingJobDefinition"]
    for field in ("HyperParameterTuningJobObjective", "ParameterRanges"):
        request["HyperParameterTuningJobConfig"].pop(field) if field not in config else None
    request["TrainingJobDefinitions"] = list(definitions)
    assert_request("sagemaker", "CreateHyperParameterTuningJob", request)
    return request


def named(name, **changes):
    return requests.definition(
        **{"DefinitionName": name, "TuningObjective": OBJECTIVE, "HyperParameterRanges": requests.ranges()} | changes
    )


def test_each_definition_has_its_own_objective_ranges_and_hyperparameters():
    accuracy = {"Name": "accuracy", "Regex": "acc=(.*)"}
    algorithm = {"TrainingInputMode": "File", "MetricDefinitions": [accuracy], "TrainingImage": requests.IMAGE}
    other = named(
        "deep",
        AlgorithmSpecification=algorithm,
        TuningObjective={"Type": "Minimize", "MetricName": "accuracy"},
        HyperParameterRanges={"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}]},
        Environment={"MODE": "deep"},
    )
    spec = tuning_spec(several(named("plain"), other))
    plain, deep = spec.definitions
    assert (plain.name, plain.metric, [each.name for each in plain.ranges]) == (
        "plain",
        "average test loss",
        ["lr", "batch_size", "epochs"],
    )
    assert (deep.name, deep.metric, [each.name for each in deep.ranges]) == ("deep", "accuracy", ["depth"])
    assert deep.training.environment == {"MODE": "deep"}
    assert deep.training.hyperparameters["_tuning_objective_metric"] == "accuracy"
    assert spec.definition("deep") is deep


def test_they_are_described_in_a_list_as_attach_reads_it():
    document = tuning_document(several(named("plain"), named("deep")))
    assert "TrainingJobDefinition" not in document
    assert [each["DefinitionName"] for each in document["TrainingJobDefinitions"]] == ["plain", "deep"]
    for each in document["TrainingJobDefinitions"]:
        assert set(each["HyperParameterRanges"]) == {
            "CategoricalParameterRanges",
            "ContinuousParameterRanges",
            "IntegerParameterRanges",
        }
        assert each["TuningObjective"] == OBJECTIVE


def test_a_single_definition_may_bring_its_own_objective_and_ranges():
    request = requests.tuning()
    config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    definition["TuningObjective"] = config.pop("HyperParameterTuningJobObjective")
    definition["HyperParameterRanges"] = config.pop("ParameterRanges")
    (found,) = asked(request)
    assert (found.objective, found.ranges) == (definition["TuningObjective"], definition["HyperParameterRanges"])


@pytest.mark.parametrize(
    ("request_of", "words"),
    [
        (lambda: several(named("a"), named("a")), "called 'a'"),
        (
            lambda: several(named("a"), requests.definition(TuningObjective=OBJECTIVE)),
            r"\[1\].DefinitionName is missing",
        ),
        (lambda: several(requests.definition(DefinitionName="a")), r"\[0\].TuningObjective is missing"),
        (lambda: several(named("a"), named("b", TuningObjective=OBJECTIVE | {"Type": "Maximize"})), "both types"),
        (lambda: several(named("a"), HyperParameterTuningJobObjective=OBJECTIVE), "give each its TuningObjective"),
        (lambda: several(named("a"), ParameterRanges=requests.ranges()), "give each its HyperParameterRanges"),
        (lambda: requests.tuning() | {"TrainingJobDefinitions": [named("a")]}, "send one of them"),
        (
            lambda: requests.tuning() | {"TrainingJobDefinition": requests.definition(TuningObjective=OBJECTIVE)},
            "both TrainingJobDefinition.TuningObjective and",
        ),
    ],
)
def test_definitions_that_do_not_fit_together_are_refused(request_of, words):
    with pytest.raises(InvalidInput, match=words):
        asked(request_of())
