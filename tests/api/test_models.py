"""Models through their operations."""

import pytest

from sagehound.errors import InvalidInput, Unsupported
from sagehound.records.serving import Model
from tests.api import requests
from tests.api.conftest import NOW

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model/m9"


def test_a_models_life(call, context):
    request = requests.model()
    assert call("CreateModel", **request, Tags=[{"Key": "a", "Value": "b"}]) == {"ModelArn": ARN}
    model = context.store.get(Model, "m9")
    assert (model.data_uri, model.environment) == (
        f"{requests.BUCKET}/dog/output/model.tar.gz",
        {"SAGEMAKER_PROGRAM": "inference.py"},
    )
    assert call("DescribeModel", ModelName="m9") == {
        **request,
        "ModelArn": ARN,
        "CreationTime": NOW,
        "EnableNetworkIsolation": False,
    }
    assert call("ListModels")["Models"] == [{"ModelName": "m9", "ModelArn": ARN, "CreationTime": NOW}]
    assert call("DeleteModel", ModelName="m9") == {}
    assert call("ListModels")["Models"] == []
    call("CreateModel", **request)
    assert call("ListTags", ResourceArn=ARN)["Tags"] == []


def test_aws_words(call):
    call("CreateModel", **requests.model())
    with pytest.raises(InvalidInput, match=f'Cannot create already existing model "{ARN}".'):
        call("CreateModel", **requests.model())
    for operation in ("DescribeModel", "DeleteModel"):
        with pytest.raises(InvalidInput, match=r'Could not find model "arn:.*:model/none".'):
            call(operation, ModelName="none")


def test_the_newest_comes_first(call, clock):
    for name in "abc":
        call("CreateModel", **requests.model(name))
        clock.advance(1)
    assert [item["ModelName"] for item in call("ListModels")["Models"]] == ["c", "b", "a"]
    assert [item["ModelName"] for item in call("ListModels", CreationTimeBefore=NOW + 1)["Models"]] == ["a"]


def test_one_container_in_a_list_is_a_model(call, context):
    container = requests.model()["PrimaryContainer"]
    call("CreateModel", ModelName="m", Containers=[container])
    assert context.store.get(Model, "m").image == container["Image"]


def test_an_archive_as_a_data_source(call, context):
    source = {"S3DataSource": {"S3Uri": "s3://abc/m.tar.gz", "S3DataType": "S3Object", "CompressionType": "Gzip"}}
    call("CreateModel", ModelName="m", PrimaryContainer={"Image": "i", "ModelDataSource": source})
    assert context.store.get(Model, "m").data_uri == "s3://abc/m.tar.gz"
    files = {"S3DataSource": {"S3Uri": "s3://abc/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
    with pytest.raises(Unsupported, match="ModelDataSource of uncompressed files"):
        call("CreateModel", ModelName="n", PrimaryContainer={"Image": "i", "ModelDataSource": files})


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"ModelName": "m"}, "either PrimaryContainer or Containers"),
        ({"ModelName": "m", "PrimaryContainer": {"ModelDataUrl": "s3://abc/x"}}, "has no Image"),
        ({"ModelName": "m", "PrimaryContainer": {"Image": "i", "ModelDataUrl": "/tmp/x"}}, "not an S3 address"),
        ({"ModelName": "m", "Containers": [{"Image": "i"}, {"Image": "j"}]}, "inference pipeline"),
        ({"ModelName": "m", "PrimaryContainer": {"Image": "i", "Mode": "MultiModel"}}, "Mode=MultiModel"),
    ],
)
def test_what_can_never_serve_is_refused(call, request_, words):
    with pytest.raises(InvalidInput, match=words):
        call("CreateModel", **request_)
