"""Which tuning jobs may be parents."""

import pytest

from sagehound.errors import InvalidInput
from sagehound.records.tuning import TuningJob, TuningStatus
from tests.api import requests


def child(kind="IdenticalDataAndAlgorithm", parents=("parent",), definition=None, **config):
    request = requests.tuning("child", **config)
    request["TrainingJobDefinition"] |= definition or {}
    names = [{"HyperParameterTuningJobName": name} for name in parents]
    return request | {"WarmStartConfig": {"WarmStartType": kind, "ParentHyperParameterTuningJobs": names}}


@pytest.fixture
def parent(call, context):
    """Creates a tuning job that has ended."""

    def make(name="parent", status=TuningStatus.COMPLETED):
        call("CreateHyperParameterTuningJob", **requests.tuning(name))
        return context.store.update(TuningJob, name, lambda job: job.evolve(status=status))

    return make


@pytest.mark.parametrize("kind", ["IdenticalDataAndAlgorithm", "TransferLearning"])
@pytest.mark.parametrize("status", [TuningStatus.COMPLETED, TuningStatus.STOPPED, TuningStatus.FAILED])
def test_a_parent_that_has_ended_is_taken(call, context, parent, kind, status):
    parent(status=status)
    call("CreateHyperParameterTuningJob", **child(kind))
    spec = context.store.get(TuningJob, "child").spec
    assert (spec.parents, spec.same_task) == (("parent",), kind == "IdenticalDataAndAlgorithm")
    described = call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName="child")
    assert described["WarmStartConfig"] == child(kind)["WarmStartConfig"]


def test_a_parent_that_does_not_exist_is_named(call):
    with pytest.raises(InvalidInput, match="can't find a tuning job called parent"):
        call("CreateHyperParameterTuningJob", **child())


def test_a_parent_that_runs_is_refused(call):
    call("CreateHyperParameterTuningJob", **requests.tuning("parent"))
    with pytest.raises(InvalidInput, match="parent is InProgress; it must be Completed, Stopped or Failed"):
        call("CreateHyperParameterTuningJob", **child())


OTHER_IMAGE = {"TrainingInputMode": "File", "MetricDefinitions": [requests.LOSS], "TrainingImage": "other:1"}


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({"AlgorithmSpecification": OTHER_IMAGE}, "its training image is .*pytorch-training.*this one other:1"),
        ({"InputDataConfig": [requests.channel(S3Uri="s3://elsewhere/data")]}, "input data is .*s3://elsewhere/data"),
    ],
)
def test_another_image_or_other_data_is_transfer_learning(call, parent, definition, words):
    parent()
    with pytest.raises(InvalidInput, match=words):
        call("CreateHyperParameterTuningJob", **child(definition=definition))
    call("CreateHyperParameterTuningJob", **child("TransferLearning", definition=definition))


@pytest.mark.parametrize("kind", ["IdenticalDataAndAlgorithm", "TransferLearning"])
def test_the_total_of_hyperparameters_and_the_objective_must_be_the_same(call, parent, kind):
    parent()
    static = requests.definition()["StaticHyperParameters"] | {"momentum": "0.9"}
    with pytest.raises(InvalidInput, match=r"8 static and tunable hyperparameters in all, this one 9.*momentum"):
        call("CreateHyperParameterTuningJob", **child(kind, definition={"StaticHyperParameters": static}))
    goal = {"Type": "Maximize", "MetricName": "average test loss"}
    with pytest.raises(InvalidInput, match="its objective is Minimize"):
        call("CreateHyperParameterTuningJob", **child(kind, HyperParameterTuningJobObjective=goal))


def test_a_hyperparameter_may_become_static(call, parent):
    parent()
    static = requests.definition()["StaticHyperParameters"] | {"lr": "0.01"}
    ranges = requests.ranges(ContinuousParameterRanges=[])
    call(
        "CreateHyperParameterTuningJob",
        **child(definition={"StaticHyperParameters": static}, ParameterRanges=ranges),
    )


def test_a_parent_twice_is_refused(call, parent):
    parent()
    with pytest.raises(InvalidInput, match="parent more than once"):
        call("CreateHyperParameterTuningJob", **child(parents=("parent", "parent")))


def test_metric_definitions_that_the_sdk_loses_are_those_of_the_parent(call, context, parent):
    parent()
    algorithm = {key: value for key, value in OTHER_IMAGE.items() if key != "MetricDefinitions"}
    call("CreateHyperParameterTuningJob", **child("TransferLearning", definition={"AlgorithmSpecification": algorithm}))
    (definition,) = context.store.get(TuningJob, "child").spec.definitions
    assert [metric.name for metric in definition.training.metrics] == ["average test loss"]
    assert definition.training.image == "other:1"


def test_a_parent_that_was_deleted_is_none_any_more(call, context, parent):
    parent()
    call("CreateHyperParameterTuningJob", **child())
    call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="parent")
    described = call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName="child")
    assert described["WarmStartConfig"]["ParentHyperParameterTuningJobs"] == [{"HyperParameterTuningJobName": "parent"}]
    again = child() | {"HyperParameterTuningJobName": "second-child"}
    with pytest.raises(InvalidInput, match=r"can't find a tuning job called parent\. Type another name"):
        call("CreateHyperParameterTuningJob", **again)
