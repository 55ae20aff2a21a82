"""What a CreateTrainingJob request becomes, and what is refused at the door."""

import pytest

from sagehound.api.training_spec import training_spec
from sagehound.errors import InvalidInput
from tests.api import requests
from tests.api.shapes import assert_request


def spec(**changes):
    request = requests.training(**changes)
    assert_request("sagemaker", "CreateTrainingJob", request)
    return training_spec(request)


def test_a_request_of_sdk_v2():
    job = spec()
    assert job.entrypoint == ()
    assert [(c.name, c.uri, c.mode) for c in job.channels] == [("training", f"{requests.BUCKET}/data", "File")]
    assert (job.instance_type, job.instance_count, job.max_runtime_s) == ("ml.c5.2xlarge", 1, 3600)
    assert job.metrics[0].name == "average test loss"
    assert job.debug_hook["S3OutputPath"] == f"{requests.BUCKET}/"


def test_a_request_of_sdk_v3():
    entrypoint = {"ContainerEntrypoint": ["/bin/bash"], "ContainerArguments": ["-c", "sm_train.sh"]}
    algorithm = {"TrainingInputMode": "FastFile", "TrainingImage": requests.IMAGE, **entrypoint}
    output = {"S3OutputPath": f"{requests.BUCKET}/dd", "CompressionType": "NONE"}
    job = spec(AlgorithmSpecification=algorithm, OutputDataConfig=output, HyperParameters={})
    assert (job.entrypoint, job.arguments) == (("/bin/bash",), ("-c", "sm_train.sh"))
    assert (job.channels[0].mode, job.compress_output) == ("FastFile", False)


def test_what_is_left_out_has_aws_defaults():
    job = spec(StoppingCondition={}, ProfilerConfig={"DisableProfiler": True})
    assert (job.max_runtime_s, job.checkpoint_uri, job.profiler) == (86400, "", {})


def test_checkpoints():
    job = spec(CheckpointConfig={"S3Uri": f"{requests.BUCKET}/ckpt"})
    assert (job.checkpoint_uri, job.checkpoint_path) == (f"{requests.BUCKET}/ckpt", "/opt/ml/checkpoints")


def algorithm(**changes):
    return {"TrainingInputMode": "File", "TrainingImage": requests.IMAGE, **changes}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"InputDataConfig": [requests.channel(), requests.channel()]}, "more than one channel 'training'"),
        ({"InputDataConfig": [{**requests.channel(), "ChannelName": ".."}]}, "channel name '..' is no folder's"),
        ({"InputDataConfig": [requests.channel(S3Uri="https://bucket/key")]}, "channel 'training'.*not an S3 address"),
        ({"InputDataConfig": [{"ChannelName": "a", "DataSource": {}}]}, "has no DataSource.S3DataSource"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://A"}}, "S3OutputPath.*not an S3 address"),
        ({"CheckpointConfig": {"S3Uri": "s3://"}}, "CheckpointConfig.S3Uri"),
        ({"CheckpointConfig": {"S3Uri": "s3://abc", "LocalPath": "/opt/../etc"}}, "LocalPath"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large"}}, "ResourceConfig.InstanceCount is missing"),
        ({"ResourceConfig": {"InstanceCount": 1}}, "ResourceConfig.InstanceType is missing"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "TrainingImage is missing"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 8}}, "MaxWaitTimeInSeconds"),
        ({"AlgorithmSpecification": algorithm(MetricDefinitions=[{"Name": "m", "Regex": "("}])}, "does not compile"),
        ({"AlgorithmSpecification": algorithm(MetricDefinitions=[{"Name": "m", "Regex": "a"}])}, "has no group"),
    ],
)
def test_what_can_never_run_is_refused(changes, words):
    with pytest.raises(InvalidInput, match=words):
        spec(**changes)
