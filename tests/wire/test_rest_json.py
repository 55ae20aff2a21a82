"""The runtime's addresses, headers and payloads."""

import json

import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser

from sagehound.errors import InvalidInput
from sagehound.wire.errors import AwsError
from sagehound.wire.incoming import Incoming
from sagehound.wire.model import load_model
from sagehound.wire.rest_json import RestJsonProtocol, operation_at
from tests.wire.samples import arrived, botocore_model, built

MODEL = load_model("sagemaker-runtime")
PROTOCOL = RestJsonProtocol()


def invoke(**request):
    return arrived(built("sagemaker-runtime", "InvokeEndpoint", **request))


def read_by_botocore(outgoing):
    shape = botocore_model("sagemaker-runtime").operation_model("InvokeEndpoint").output_shape
    answer = {"status_code": outgoing.status, "headers": HeadersDict(outgoing.headers), "body": outgoing.body}
    return create_parser("rest-json").parse(answer, shape)


def test_address_headers_and_payload_make_a_request():
    request = {
        "EndpointName": "dogs",
        "Body": b"\xff\xd8",
        "ContentType": "image/jpeg",
        "Accept": "application/json",
        "TargetVariant": "blue",
        "CustomAttributes": "a=b",
    }
    assert PROTOCOL.parse(MODEL, "InvokeEndpoint", invoke(**request)) == request


def test_an_empty_payload_is_one():
    assert PROTOCOL.parse(MODEL, "InvokeEndpoint", invoke(EndpointName="dogs", Body=b""))["Body"] == b""


@pytest.mark.parametrize("request_", [{"EndpointName": "-a"}, {"EndpointName": "a", "TargetVariant": "b_c"}])
def test_headers_and_addresses_are_checked(request_):
    with pytest.raises(InvalidInput, match="regular expression"):
        PROTOCOL.parse(MODEL, "InvokeEndpoint", invoke(Body=b"", **request_))


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("InvokeEndpoint", {"Body": b""}),
        ("InvokeEndpointAsync", {"InputLocation": "s3://b/k"}),
        ("InvokeEndpointWithResponseStream", {"Body": b""}),
    ],
)
def test_an_address_tells_its_operation(operation, request_):
    incoming = arrived(built("sagemaker-runtime", operation, EndpointName="dogs", **request_))
    assert operation_at(MODEL, incoming) == operation


def test_no_operation_is_at_any_other():
    incoming = Incoming(method="POST", path="/endpoints/dogs", query="", headers={}, body=b"")
    assert operation_at(MODEL, incoming) == ""


def test_a_response_is_read_back():
    response = {"Body": b"[[0.1]]", "ContentType": "application/json", "InvokedProductionVariant": "blue"}
    outgoing = PROTOCOL.success(MODEL, "InvokeEndpoint", response, "r-1")
    assert (outgoing.status, outgoing.body) == (200, b"[[0.1]]")
    read = read_by_botocore(outgoing)
    assert (read["ContentType"], read["InvokedProductionVariant"]) == ("application/json", "blue")


def test_an_error_has_its_own_fields():
    fields = {"OriginalStatusCode": 500, "OriginalMessage": "boom"}
    outgoing = PROTOCOL.failure(AwsError("ModelError", "it failed", 424, fields), "r-1")
    assert outgoing.headers["x-amzn-ErrorType"] == "ModelError"
    assert json.loads(outgoing.body) == {"Message": "it failed", **fields}
    assert read_by_botocore(outgoing)["Error"] == {"Code": "ModelError", "Message": "it failed"}
