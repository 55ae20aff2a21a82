"""The application, asked by boto3, the AWS CLI and bare HTTP."""

import http.client
import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sagehound.api.app import REQUEST_LIMIT_BYTES, app
from sagehound.api.context import NOTES, Context
from sagehound.api.operations import OPERATIONS
from sagehound.errors import AlreadyExists, InvalidInput
from sagehound.keys import Keys
from sagehound.records.invocation import Invocation, Reply
from sagehound.records.notes import of_response
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore
from tests.api.served import client, served

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model/m"
KEYS = Keys("AKIAEXAMPLEEXAMPLE22", "secret/of+the=home")


@dataclass
class Echo:
    """Answers an invocation with what it was."""

    async def invoke(self, invocation: Invocation) -> Reply:
        told = json.dumps([invocation.endpoint, invocation.content_type, len(invocation.body)]).encode()
        return Reply(status=200, body=told, content_type="application/json", variant="AllTraffic")


def describe_model(request, context):
    notes = {NOTES: ("mind the gap",)} if request["ModelName"] == "noted" else {}
    answer = {"ModelName": request["ModelName"], "ModelArn": ARN, "CreationTime": 1795365029.5}
    return {**answer, "PrimaryContainer": None, **notes}


def broken(request, context):
    return {"a": 1}[request["EndpointName"]]


def taken(request, context):
    raise AlreadyExists("Training job names must be unique")


def statistics(request, context):
    if request["Period"] == 61:
        raise InvalidInput("Period must be a multiple of 60")
    return {"Label": request["MetricName"], "Datapoints": [{"Timestamp": request["StartTime"], "Average": 0.5}]}


STUBS = {
    **{key: OPERATIONS[key] for key in (("sts", "GetCallerIdentity"), ("iam", "GetRole"))},
    ("sagemaker-runtime", "InvokeEndpoint"): OPERATIONS["sagemaker-runtime", "InvokeEndpoint"],
    ("sagemaker", "DescribeModel"): describe_model,
    ("sagemaker", "DescribeEndpoint"): broken,
    ("sagemaker", "CreateTrainingJob"): taken,
    ("cloudwatch", "GetMetricStatistics"): statistics,
}
METRIC = {
    "Namespace": "/aws/sagemaker/TrainingJobs",
    "MetricName": "loss",
    "StartTime": 1795365000,
    "EndTime": 1795365060,
    "Statistics": ["Average"],
}


@pytest.fixture(scope="module")
def clock():
    """Seconds by which the service's clock is ahead; a list, so that a test can move it."""
    return [0.0]


@pytest.fixture(scope="module")
def address(tmp_path_factory, clock):
    home = tmp_path_factory.mktemp("home")
    store = SqliteStore(home / "state.db")
    context = Context(
        settings=Settings(home=home),
        store=store,
        keys=KEYS,
        invoker=Echo(),
        clock=lambda: time.time() + clock[0],
    )
    with served(app(context, STUBS)) as url:
        yield url
    store.close()


@pytest.fixture
def sagemaker(address):
    with client("sagemaker", address, KEYS) as made:
        yield made


def refused(call, **request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Message"]


def bare(address, method, path, body=b"", headers=None):
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def test_ping_needs_no_signature(address):
    assert bare(address, "GET", "/ping")[:2] == (200, b"sagehound\n")


def test_a_response_has_its_types_and_a_request_id(sagemaker):
    answer = sagemaker.describe_model(ModelName="m")
    assert answer["CreationTime"].timestamp() == 1795365029.5
    assert "PrimaryContainer" not in answer
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36


def test_who_the_caller_is_and_its_role(address):
    with client("sts", address, KEYS) as sts, client("iam", address, KEYS) as iam:
        arn = sts.get_caller_identity()["Arn"]
        assert arn == "arn:aws:sts::000000000000:assumed-role/sagehound/sagehound"
        role = iam.get_role(RoleName="sagehound")["Role"]
        assert role["Arn"] == "arn:aws:iam::000000000000:role/sagehound"
        assert role["AssumeRolePolicyDocument"]["Statement"][0]["Effect"] == "Allow"
        assert refused(iam.get_role, RoleName="other")[:2] == ("NoSuchEntity", 404)


def test_metrics_come_as_json(address):
    with client("cloudwatch", address, KEYS) as cloudwatch:
        points = cloudwatch.get_metric_statistics(**METRIC, Period=60)["Datapoints"]
        assert [point["Average"] for point in points] == [0.5]
        code, status, message = refused(cloudwatch.get_metric_statistics, **METRIC, Period=61)
        assert (code, status, message) == ("InvalidParameterValue", 400, "Period must be a multiple of 60")


def test_an_endpoint_is_invoked(address):
    with client("sagemaker-runtime", address, KEYS) as runtime:
        answer = runtime.invoke_endpoint(EndpointName="dogs", Body=b"\xff" * 1000, ContentType="image/jpeg")
        assert json.loads(answer["Body"].read()) == ["dogs", "image/jpeg", 1000]
        assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("application/json", "AllTraffic")
        too_much = refused(runtime.invoke_endpoint, EndpointName="dogs", Body=b"x" * (6 * 1024 * 1024 + 1))
        assert too_much[:2] == ("RequestEntityTooLargeException", 413) and "6291456" in too_much[2]
        assert refused(runtime.invoke_endpoint, EndpointName="dogs", Body=b"", TargetModel="m.tar.gz")[2].startswith(
            "InvokeEndpoint: TargetModel is not supported"
        )


def test_a_request_that_the_model_does_not_allow(address):
    with client("sagemaker", address, KEYS, parameter_validation=False) as sagemaker:
        assert refused(sagemaker.describe_model)[:2] == ("ValidationException", 400)
        assert "unknown" not in refused(sagemaker.describe_model, ModelName="a_b")[2]
        assert refused(sagemaker.describe_model, ModelName=5)[:2] == ("SerializationException", 400)


def test_errors_have_the_classes_that_boto3_makes_of_them(sagemaker):
    request = {
        "TrainingJobName": "dogs",
        "RoleArn": "arn:aws:iam::000000000000:role/sagehound",
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    }
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="must be unique"):
        sagemaker.create_training_job(**request)


def test_an_operation_that_breaks_is_an_internal_failure_and_the_log_says_where(sagemaker, caplog):
    with caplog.at_level(logging.ERROR, "sagehound"):
        code, status, message = refused(sagemaker.describe_endpoint, EndpointName="e")
    assert (code, status) == ("InternalFailure", 500) and "KeyError" in message
    assert "DescribeEndpoint failed" in caplog.text and "Traceback" in caplog.text
    assert sagemaker.describe_model(ModelName="m")["ModelName"] == "m"


def test_what_is_not_offered_is_named(sagemaker):
    code, status, message = refused(sagemaker.list_auto_ml_jobs)
    assert (code, status) == ("UnsupportedOperation", 400) and "ListAutoMLJobs" in message


@pytest.mark.parametrize(
    ("service", "call", "codes"),
    [
        ("sagemaker", "list_models", ("UnrecognizedClientException", "InvalidSignatureException")),
        ("sts", "get_caller_identity", ("InvalidClientTokenId", "SignatureDoesNotMatch")),
    ],
)
def test_wrong_keys(address, service, call, codes):
    wrong = (Keys("AKIAOTHER", KEYS.secret_key), Keys(KEYS.access_key, "other"))
    for keys, code in zip(wrong, codes, strict=True):
        with client(service, address, keys) as made:
            assert refused(getattr(made, call))[0] == code


def test_an_expired_request(address, sagemaker, clock):
    clock[0] = 1000
    try:
        code, status, message = refused(sagemaker.describe_model, ModelName="m")
        with client("sts", address, KEYS) as sts:
            assert refused(sts.get_caller_identity)[:2] == ("RequestExpired", 400)
    finally:
        clock[0] = 0
    assert (code, status) == ("InvalidSignatureException", 400) and message.startswith("Signature expired")


def test_a_presigned_address_is_answered(address):
    with client("sts", address, KEYS) as sts:
        url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    status, body, _ = bare(address, "GET", url.removeprefix(address))
    assert status == 200 and b"assumed-role/sagehound" in body


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/", {}, 400, b"MissingAuthenticationTokenException"),
        ("POST", "/endpoints/e/invocations", {}, 403, b"Missing Authentication Token"),
        ("POST", "/", {"X-Amz-Target": "SageMaker.ListModels"}, 400, b"MissingAuthenticationTokenException"),
        (
            "POST",
            "/",
            {"Content-Type": "application/x-www-form-urlencoded"},
            403,
            b"<Code>MissingAuthenticationToken</Code>",
        ),
        ("DELETE", "/%ff/..", {"Authorization": "\xff"}, 400, b"IncompleteSignatureException"),
    ],
)
def test_a_request_without_a_signature_is_told_so_in_its_protocol(address, method, path, headers, status, code):
    got, body, answered = bare(address, method, path, headers=headers)
    assert got == status and code in body
    assert len({name.lower(): value for name, value in answered.items()}["x-amzn-requestid"]) == 36


def test_a_body_beyond_any_request_is_refused_unread(address):
    headers = {"X-Amz-Target": "SageMaker.CreateModel"}
    status, body, _ = bare(address, "POST", "/", b"x" * (REQUEST_LIMIT_BYTES + 1), headers)
    assert status == 413 and json.loads(body)["__type"] == "RequestEntityTooLargeException"


def test_the_aws_cli_is_answered(address, tmp_path):
    aws = Path(sys.executable).with_name("aws")
    if not aws.exists():
        pytest.skip("awscli is not installed beside this Python")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": KEYS.access_key,
        "AWS_SECRET_ACCESS_KEY": KEYS.secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [str(aws), "sagemaker", "describe-model", "--model-name", "dogs"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120).stdout
    assert json.loads(printed)["ModelName"] == "dogs"


def test_notes_are_a_header_and_no_member(sagemaker):
    answer = sagemaker.describe_model(ModelName="noted")
    assert of_response(answer) == ("mind the gap",)
    assert set(answer) == {"ModelName", "ModelArn", "CreationTime", "ResponseMetadata"}
    assert of_response(sagemaker.describe_model(ModelName="m")) == ()
