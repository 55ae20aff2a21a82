"""Endpoints through their operations."""

import pytest

from sagehound.errors import InvalidInput
from sagehound.records.serving import Endpoint, EndpointConfig, EndpointStatus
from tests.api import requests
from tests.api.conftest import NOW

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e9"


def put(context, status, **changes):
    """What the endpoint loop writes."""
    if status is EndpointStatus.IN_SERVICE:
        changes["variants"] = context.store.get(EndpointConfig, "c9").variants
    return context.store.update(Endpoint, "e9", lambda endpoint: endpoint.evolve(status=status, **changes))


@pytest.fixture
def endpoint(call):
    call("CreateModel", **requests.model())
    call("CreateEndpointConfig", **requests.config("c9"))
    two = (requests.variant("a", InitialVariantWeight=3), requests.variant("b", InitialInstanceCount=2))
    call("CreateEndpointConfig", **requests.config("c10", *two))
    return call("CreateEndpoint", EndpointName="e9", EndpointConfigName="c9")


def test_a_new_endpoint_is_creating(call, endpoint):
    assert endpoint == {"EndpointArn": ARN}
    described = call("DescribeEndpoint", EndpointName="e9")
    assert described == {
        "EndpointName": "e9",
        "EndpointArn": ARN,
        "EndpointConfigName": "c9",
        "EndpointStatus": "Creating",
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    }


def test_an_endpoint_in_service_shows_its_variants(call, context, endpoint):
    put(context, EndpointStatus.IN_SERVICE)
    assert call("DescribeEndpoint", EndpointName="e9")["ProductionVariants"] == [
        {
            "VariantName": "AllTraffic",
            "CurrentWeight": 1.0,
            "DesiredWeight": 1.0,
            "CurrentInstanceCount": 1,
            "DesiredInstanceCount": 1,
        }
    ]


def test_update_moves_to_another_configuration(call, context, clock, endpoint):
    put(context, EndpointStatus.IN_SERVICE)
    clock.advance(9)
    assert call("UpdateEndpoint", EndpointName="e9", EndpointConfigName="c10") == {"EndpointArn": ARN}
    described = call("DescribeEndpoint", EndpointName="e9")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Updating", "c9")
    pending = described["PendingDeploymentSummary"]
    assert (pending["EndpointConfigName"], pending["StartTime"]) == ("c10", NOW + 9)
    assert [(v["VariantName"], v["DesiredInstanceCount"]) for v in pending["ProductionVariants"]] == [
        ("a", 1),
        ("b", 2),
    ]


@pytest.mark.parametrize("busy", [EndpointStatus.CREATING, EndpointStatus.UPDATING, EndpointStatus.DELETING])
def test_a_busy_endpoint_is_left_alone(call, context, endpoint, busy):
    if busy is EndpointStatus.UPDATING:
        put(context, EndpointStatus.IN_SERVICE)
    put(context, busy)
    for operation, request in (("UpdateEndpoint", {"EndpointConfigName": "c10"}), ("DeleteEndpoint", {})):
        with pytest.raises(InvalidInput, match=f'Cannot update in-progress endpoint "{ARN}".'):
            call(operation, EndpointName="e9", **request)


def test_delete_asks_the_loop(call, context, endpoint):
    put(context, EndpointStatus.FAILED, failure_reason="ValueError: no weights")
    assert call("DescribeEndpoint", EndpointName="e9")["FailureReason"] == "ValueError: no weights"
    call("AddTags", ResourceArn=ARN, Tags=[{"Key": "a", "Value": "b"}])
    assert call("DeleteEndpoint", EndpointName="e9") == {}
    assert context.store.get(Endpoint, "e9").status is EndpointStatus.DELETING
    assert call("ListTags", ResourceArn=ARN)["Tags"] == []


def test_aws_words(call, endpoint):
    with pytest.raises(InvalidInput, match=f'Cannot create already existing endpoint "{ARN}".'):
        call("CreateEndpoint", EndpointName="e9", EndpointConfigName="c9")
    with pytest.raises(InvalidInput, match=r'Could not find endpoint configuration "arn:.*:endpoint-config/none".'):
        call("CreateEndpoint", EndpointName="e10", EndpointConfigName="none")
    for operation, request in (
        ("DescribeEndpoint", {}),
        ("DeleteEndpoint", {}),
        ("UpdateEndpoint", {"EndpointConfigName": "c9"}),
    ):
        with pytest.raises(InvalidInput, match=r'Could not find endpoint "arn:.*:endpoint/none".'):
            call(operation, EndpointName="none", **request)


def test_list(call, context, clock, endpoint):
    clock.advance(1)
    call("CreateEndpoint", EndpointName="e10", EndpointConfigName="c9")
    put(context, EndpointStatus.IN_SERVICE)
    assert [item["EndpointName"] for item in call("ListEndpoints")["Endpoints"]] == ["e10", "e9"]
    assert [item["EndpointName"] for item in call("ListEndpoints", StatusEquals="InService")["Endpoints"]] == ["e9"]


def test_a_deleted_configuration_leaves_the_endpoint(call, context, endpoint):
    put(context, EndpointStatus.IN_SERVICE)
    call("DeleteEndpointConfig", EndpointConfigName="c9")
    call("DeleteModel", ModelName="m9")
    described = call("DescribeEndpoint", EndpointName="e9")
    assert described["EndpointStatus"] == "InService"
    assert described["ProductionVariants"][0]["VariantName"] == "AllTraffic"
