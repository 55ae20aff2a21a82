"""Requests against their shapes."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagehound.errors import InvalidInput
from sagehound.wire.errors import Malformed
from sagehound.wire.model import Reference, load_model
from sagehound.wire.validate import checked

MODEL = load_model("sagemaker", ["CreateTrainingJob", "ListTrainingJobs", "CreateEndpointConfig", "AddTags"])


def job(**changes):
    """A small CreateTrainingJob that is right but for `changes`."""
    return {
        "TrainingJobName": "dogs",
        "RoleArn": "arn:aws:iam::000000000000:role/sagehound",
        "AlgorithmSpecification": {"TrainingImage": "image:latest", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def check(request, operation="CreateTrainingJob"):
    return checked(MODEL, MODEL.operations[operation].input, request)


def told(request, operation="CreateTrainingJob"):
    with pytest.raises(InvalidInput) as caught:
        check(request, operation)
    return str(caught.value)


def test_a_right_request_comes_back_as_it_is():
    request = job(HyperParameters={"lr": '"0.1"'}, EnableManagedSpotTraining=True)
    assert check(request) == request


def test_nulls_are_as_if_not_sent():
    assert check(job(VpcConfig=None, HyperParameters={"a": "1", "b": None})) == job(HyperParameters={"a": "1"})


def test_timestamps_become_seconds():
    got = check({"CreationTimeAfter": "2026-11-22T16:30:29Z"}, "ListTrainingJobs")
    assert got == {"CreationTimeAfter": 1795365029.0}


def test_a_missing_field_is_named():
    request = job()
    del request["RoleArn"]
    assert told(request) == (
        "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"TrainingJobName": "under_score"}, "Value 'under_score' at 'trainingJobName' failed .* regular expression"),
        ({"TrainingJobName": "a" * 64}, "'trainingJobName' .* length less than or equal to 63"),
        ({"TrainingJobName": "dogs\n"}, "regular expression"),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.larg", "InstanceCount": -1}},
            "2 validation errors .*'ml.m5.larg' at 'resourceConfig.instanceType' .*enum value set: "
            ".ml.m5.large, .*and [0-9]+ that are less like it"
            ".*'resourceConfig.instanceCount'.* greater than or equal to 0",
        ),
        ({"InputDataConfig": []}, "'inputDataConfig' .* length greater than or equal to 1"),
        (
            {"InputDataConfig": [{"ChannelName": "a b", "DataSource": {}}]},
            "'inputDataConfig.1.member.channelName' .* regular expression",
        ),
        ({"HyperParameters": {"a" * 300: "1"}}, "Map keys must satisfy constraint"),
        ({"HyperParameters": {"a": "b" * 2501}}, "'hyperParameters.a.member' .* 2500"),
    ],
)
def test_a_broken_constraint_is_told_in_the_words_of_aws(changes, wanted):
    assert re.search(wanted, told(job(**changes)))


def test_only_the_first_faults_are_spelled_out():
    message = told({"ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:model/m", "Tags": [{}] * 40}, "AddTags")
    assert message.startswith("80 validation errors detected") and message.count("failed to satisfy") == 10


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (job(Colour="red"), "unknown field 'Colour'; allowed here: TrainingJobName"),
        (job(ResourceConfig={"Instances": 1}), "unknown field 'ResourceConfig.Instances'"),
        (job(HyperParameters=[]), "'HyperParameters' cannot be read: it must be an object"),
        (job(InputDataConfig={}), "'InputDataConfig' cannot be read: it must be a list"),
        (job(HyperParameters={"lr": 0.1}), "'0.1' at 'HyperParameters.lr.member' cannot be read: it must be a string"),
        ([], "'the request' cannot be read"),
    ],
)
def test_what_is_of_another_type_cannot_be_read(request_, wanted):
    with pytest.raises(Malformed) as caught:
        check(request_)
    assert wanted in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(MODEL.shapes["CreateTrainingJobRequest"].members)), json_values))
def test_whatever_is_sent_is_refused_in_words_or_taken(changes):
    try:
        request = check(job(**changes))
    except InvalidInput as error:
        assert str(error)
    else:
        assert request["TrainingJobName"]


def test_a_union_has_exactly_one_member():
    shape = next(name for name, shape in load_model("sagemaker").shapes.items() if shape.union)
    whole = load_model("sagemaker")
    with pytest.raises(InvalidInput, match="exactly one"):
        checked(whole, Reference(shape), {})
