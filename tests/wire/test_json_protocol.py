"""JSON requests and answers, read by botocore."""

import json
import math

import pytest
from botocore.parsers import create_parser

from sagehound.wire.errors import AwsError, Malformed
from sagehound.wire.json_protocol import JsonProtocol, read_json, write_json
from sagehound.wire.model import load_model
from tests.wire.samples import arrived, botocore_model, built

SAGEMAKER = load_model("sagemaker", ["DescribeTrainingJob", "ListTrainingJobs"])


def read_by_botocore(outgoing, service, operation, protocol="json"):
    shape = botocore_model(service).operation_model(operation).output_shape
    headers = {name.lower(): value for name, value in outgoing.headers.items()}
    answer = {"status_code": outgoing.status, "headers": headers, "body": outgoing.body}
    return create_parser(protocol).parse(answer, shape)


def test_a_request_is_read():
    incoming = arrived(built("sagemaker", "ListTrainingJobs", MaxResults=5, CreationTimeAfter="2026-11-22T16:30:29Z"))
    got = JsonProtocol().parse(SAGEMAKER, "ListTrainingJobs", incoming)
    assert got == {"MaxResults": 5, "CreationTimeAfter": 1795365029.0}


def test_a_response_is_read_back():
    response = {
        "TrainingJobName": "dogs",
        "CreationTime": 1795365029.25,
        "FailureReason": None,
        "FinalMetricDataList": [{"MetricName": "loss", "Value": 0.5, "Timestamp": 1795365029.0}],
        "HyperParameters": {"lr": '"0.1"'},
    }
    outgoing = JsonProtocol().success(SAGEMAKER, "DescribeTrainingJob", response, "r-1")
    read = read_by_botocore(outgoing, "sagemaker", "DescribeTrainingJob")
    assert read["CreationTime"].timestamp() == 1795365029.25
    assert "FailureReason" not in read
    assert read["HyperParameters"] == {"lr": '"0.1"'}
    assert outgoing.headers == {"x-amzn-RequestId": "r-1", "content-type": "application/x-amz-json-1.1"}


def test_a_response_that_the_model_does_not_have_is_a_mistake_of_ours():
    with pytest.raises(KeyError, match="Colour"):
        JsonProtocol().success(SAGEMAKER, "DescribeTrainingJob", {"Colour": "red"}, "r-1")


def test_an_error_is_read_back():
    outgoing = JsonProtocol().failure(AwsError("ResourceInUse", "taken"), "r-1")
    read = read_by_botocore(outgoing, "sagemaker", "DescribeTrainingJob")
    assert (outgoing.status, read["Error"]) == (400, {"Message": "taken", "Code": "ResourceInUse"})


@pytest.mark.parametrize(("status", "side"), [(400, "Sender"), (500, "Receiver")])
def test_in_query_mode_an_error_has_the_code_of_the_query_protocol(status, side):
    outgoing = JsonProtocol("1.0", query_mode=True).failure(AwsError("InvalidParameterValue", "no", status), "r-1")
    assert outgoing.headers["x-amzn-query-error"] == f"InvalidParameterValue;{side}"
    assert outgoing.headers["content-type"] == "application/x-amz-json-1.0"


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b"nan"])
def test_what_is_not_json_is_refused(body):
    with pytest.raises(Malformed, match="body is"):
        read_json(body)


def test_no_body_is_no_field():
    assert read_json(b"") == {}


def test_a_metric_that_is_no_number_is_not_lost():
    assert math.isnan(json.loads(write_json({"Value": math.nan}))["Value"])
    assert write_json({"a": "null"}) == b'{"a": "null"}'


def test_a_log_line_that_was_no_text_is_still_written():
    assert json.loads(write_json({"message": "a\udc80"})) == {"message": "a\udc80"}
