"""What a CreateHyperParameterTuningJob request becomes, and what is refused at the door."""

import botocore.session
import pytest

from sagehound.api.support import REFUSED, WITHOUT_EFFECT
from sagehound.api.tuning_spec import tuning_document, tuning_spec
from sagehound.errors import InvalidInput
from tests.api import requests
from tests.api.shapes import assert_request


def spec(definition=None, **config):
    request = requests.tuning(**config)
    request["TrainingJobDefinition"] |= definition or {}
    assert_request("sagemaker", "CreateHyperParameterTuningJob", request)
    return tuning_spec(request)


def test_the_seeds_search():
    search = spec(RandomSeed=7)
    assert (search.strategy, search.definitions[0].metric, search.goal) == ("Bayesian", "average test loss", "Minimize")
    assert (search.max_jobs, search.max_parallel, search.seed) == (4, 2, 7)
    assert [(item.name, item.type, item.low, item.high, item.values) for item in search.definitions[0].ranges] == [
        ("lr", "Continuous", "0.001", "0.1", ()),
        ("batch_size", "Categorical", "", "", ('"32"', '"64"', '"128"')),
        ("epochs", "Categorical", "", "", ('"1"', '"2"')),
    ]
    assert search.training.hyperparameters["_tuning_objective_metric"] == "average test loss"
    assert search.training.instance_type == "ml.c5.2xlarge"


def test_the_document_of_a_trial_is_a_training_request_without_name_and_hyperparameters():
    document = spec().definitions[0].training_document
    assert set(document) == {
        "AlgorithmSpecification",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
        "EnableNetworkIsolation",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "RoleArn",
        "StoppingCondition",
    }


def test_the_first_of_several_instances_is_taken():
    choice = {
        "InstanceConfigs": [
            {"InstanceType": f"ml.m5.{n}", "InstanceCount": 2, "VolumeSizeInGB": 1} for n in ("large", "xlarge")
        ]
    }
    search = spec({"HyperParameterTuningResourceConfig": {"AllocationStrategy": "Prioritized", **choice}})
    assert (search.training.instance_type, search.training.instance_count) == ("ml.m5.large", 2)


def test_a_grid_counts_itself():
    grid = {"Strategy": "Grid", "ParameterRanges": requests.ranges(ContinuousParameterRanges=[])}
    assert spec(**grid, ResourceLimits={"MaxParallelTrainingJobs": 1}).max_jobs == 6
    with pytest.raises(InvalidInput, match="the grid has 6 combinations"):
        spec(**grid, ResourceLimits={"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": 5})


def limits(most):
    return {"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": most}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "m"}},
            "A metric is required for this",
        ),
        ({"Strategy": "Grid"}, "Grid searches categorical hyperparameters alone; lr"),
        ({"ResourceLimits": {"MaxParallelTrainingJobs": 1}}, "MaxNumberOfTrainingJobs is missing"),
        (
            {"ParameterRanges": requests.ranges(ContinuousParameterRanges=[]), "ResourceLimits": limits(7)},
            r"You don't have enough combinations of hyperparameter ranges.*\[6\].*\[7\]",
        ),
    ],
)
def test_a_search_that_can_never_run_is_refused(config, words):
    with pytest.raises(InvalidInput, match=words):
        spec(**config)


def test_a_search_without_an_objective_or_a_definition_is_refused():
    request = requests.tuning()
    del request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    with pytest.raises(InvalidInput, match="HyperParameterTuningJobObjective is missing"):
        tuning_spec(request)
    with pytest.raises(InvalidInput, match="TrainingJobDefinition is missing"):
        tuning_document({"HyperParameterTuningJobConfig": {}})


def test_a_definition_is_checked_like_a_training_job():
    with pytest.raises(InvalidInput, match="more than one channel"):
        spec({"InputDataConfig": [requests.channel(), requests.channel()]})


#: Fields of the request that have their effect, but for those that a definition shares with CreateTrainingJob.
WITH_EFFECT = {
    "Autotune.Mode",
    "HyperParameterTuningJobName",
    "Tags.Key",
    "Tags.Value",
    "WarmStartConfig.ParentHyperParameterTuningJobs.HyperParameterTuningJobName",
    "WarmStartConfig.WarmStartType",
    *(
        f"HyperParameterTuningJobConfig.{path}"
        for path in (
            "HyperParameterTuningJobObjective.MetricName",
            "HyperParameterTuningJobObjective.Type",
            "RandomSeed",
            "ResourceLimits.MaxNumberOfTrainingJobs",
            "ResourceLimits.MaxParallelTrainingJobs",
            "ResourceLimits.MaxRuntimeInSeconds",
            "Strategy",
            "StrategyConfig.HyperbandStrategyConfig.MaxResource",
            "StrategyConfig.HyperbandStrategyConfig.MinResource",
            "TrainingJobEarlyStoppingType",
            "TuningJobCompletionCriteria.BestObjectiveNotImproving.MaxNumberOfTrainingJobsNotImproving",
            "TuningJobCompletionCriteria.ConvergenceDetected.CompleteOnConvergence",
            "TuningJobCompletionCriteria.TargetObjectiveMetricValue",
        )
    ),
}
OF_A_DEFINITION = {
    "DefinitionName",
    "HyperParameterTuningResourceConfig.InstanceConfigs.InstanceCount",
    "HyperParameterTuningResourceConfig.InstanceConfigs.InstanceType",
    "HyperParameterTuningResourceConfig.InstanceCount",
    "HyperParameterTuningResourceConfig.InstanceType",
    "StaticHyperParameters",
    "TuningObjective.MetricName",
    "TuningObjective.Type",
}
RANGES = {
    "AutoParameters.Name",
    "AutoParameters.ValueHint",
    "CategoricalParameterRanges.Name",
    "CategoricalParameterRanges.Values",
    *(
        f"{kind}ParameterRanges.{field}"
        for kind in ("Continuous", "Integer")
        for field in ("MaxValue", "MinValue", "Name", "ScalingType")
    ),
}


def leaves(shape, path=""):
    """The paths of all fields that hold a value, through lists."""
    while shape.type_name == "list":
        shape = shape.member
    if shape.type_name != "structure":
        yield path
        return
    for name, member in shape.members.items():
        yield from leaves(member, f"{path}.{name}" if path else name)


def test_no_field_of_the_request_is_taken_silently():
    """A field that a later version of AWS's model brings makes this fail, until it is dealt with."""
    model = botocore.session.Session().get_service_model("sagemaker")
    training = set(leaves(model.operation_model("CreateTrainingJob").input_shape))
    tuning = model.operation_model("CreateHyperParameterTuningJob").input_shape
    named = {*REFUSED["CreateHyperParameterTuningJob"], *WITHOUT_EFFECT["CreateHyperParameterTuningJob"]}
    expected = WITH_EFFECT | {f"HyperParameterTuningJobConfig.ParameterRanges.{path}" for path in RANGES}
    own = OF_A_DEFINITION | {f"HyperParameterRanges.{path}" for path in RANGES}
    unknown = set()
    for path in leaves(tuning):
        place, _, rest = path.partition(".")
        of_definition = place in ("TrainingJobDefinition", "TrainingJobDefinitions")
        known = rest in own | training if of_definition else path in expected
        if not known and path not in named:
            unknown.add(path)
    assert unknown == set()
    assert expected <= set(leaves(tuning))
