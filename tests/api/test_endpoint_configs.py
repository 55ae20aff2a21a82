"""Endpoint configurations through their operations."""

import pytest

from sagehound.errors import InvalidInput
from sagehound.records.serving import EndpointConfig
from tests.api import requests
from tests.api.conftest import NOW

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/c9"


@pytest.fixture(autouse=True)
def model(call):
    call("CreateModel", **requests.model())


def test_a_configurations_life(call, context):
    request = requests.config()
    assert call("CreateEndpointConfig", **request) == {"EndpointConfigArn": ARN}
    (variant,) = context.store.get(EndpointConfig, "c9").variants
    assert (variant.model, variant.instances, variant.weight, variant.startup_timeout_s) == ("m9", 1, 1.0, 600)
    assert call("DescribeEndpointConfig", EndpointConfigName="c9") == {
        **request,
        "EndpointConfigArn": ARN,
        "CreationTime": NOW,
    }
    assert call("ListEndpointConfigs")["EndpointConfigs"][0]["EndpointConfigName"] == "c9"
    assert call("DeleteEndpointConfig", EndpointConfigName="c9") == {}
    assert call("ListEndpointConfigs")["EndpointConfigs"] == []


def test_aws_words(call):
    call("CreateEndpointConfig", **requests.config())
    with pytest.raises(InvalidInput, match=f'Cannot create already existing endpoint configuration "{ARN}".'):
        call("CreateEndpointConfig", **requests.config())
    for operation in ("DescribeEndpointConfig", "DeleteEndpointConfig"):
        with pytest.raises(InvalidInput, match=r'Could not find endpoint configuration "arn:.*:endpoint-config/none".'):
            call(operation, EndpointConfigName="none")


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ([requests.variant(model_name="none")], 'Could not find model "arn:.*:model/none".'),
        ([requests.variant(), requests.variant()], "more than one 'AllTraffic'"),
        ([requests.variant(InitialVariantWeight=0)], "every InitialVariantWeight is 0"),
        ([{"VariantName": "a", "ModelName": "m9"}], "InstanceType is missing in the production variant 'a'"),
        (
            [
                {
                    "VariantName": "a",
                    "ModelName": "m9",
                    "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
                }
            ],
            "ServerlessConfig is not supported",
        ),
    ],
)
def test_what_can_never_serve_is_refused(call, variants, words):
    with pytest.raises(InvalidInput, match=words):
        call("CreateEndpointConfig", **requests.config("c", *variants))
    assert call("ListEndpointConfigs")["EndpointConfigs"] == []
