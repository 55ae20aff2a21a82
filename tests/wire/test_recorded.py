"""What the official SDKs were recorded to send, and to be satisfied with."""

import json
import time
from pathlib import Path

import pytest
from botocore.awsrequest import AWSRequest

from sagehound.api.operations import OPERATIONS
from sagehound.wire.call import route
from sagehound.wire.errors import AwsError
from sagehound.wire.services import Catalogue
from sagehound.wire.signature import Verifier
from tests.wire.samples import ENDPOINT, KEYS, arrived, signed

FOLDER = Path(__file__).parents[3] / "shared" / "reference" / "wire"
SPOKEN = ("sagemaker", "logs", "monitoring", "sts", "iam")
FILES = sorted(path.name for path in FOLDER.glob("*.json") if path.name.startswith(SPOKEN))

CATALOGUE = Catalogue(OPERATIONS)
VERIFIER = Verifier(KEYS, "us-east-1", time.time)

pytestmark = pytest.mark.skipif(not FILES, reason="the recorded requests are not beside this checkout")


def recorded(name):
    return json.loads((FOLDER / name).read_text())


def sent(name):
    """The recorded request as botocore signs it now."""
    request = recorded(name)["request"]
    body = request["body"] if isinstance(request["body"], str) else json.dumps(request["body"])
    headers = {**request["headers"], "host": "127.0.0.1:8383", "content-length": str(len(body.encode()))}
    return arrived(signed(AWSRequest(request["method"], ENDPOINT + request["path"], headers, body), name.split("-")[0]))


@pytest.mark.parametrize("name", FILES)
def test_it_is_taken_or_refused_by_name(name):
    call = route(sent(name), "r-1")
    try:
        key = call.admit(VERIFIER, CATALOGUE)
    except AwsError as error:
        assert error.code == "UnsupportedOperation"
        assert call.operation in error.message and (call.service.name, call.operation) not in OPERATIONS
        return
    assert key in OPERATIONS
    request, body = call.request(), recorded(name)["request"]["body"]
    if isinstance(body, dict):
        assert request == body


@pytest.mark.parametrize("name", [name for name in FILES if "error" not in name])
def test_what_satisfied_them_can_be_answered(name):
    call, answer = route(sent(name), "r-1"), recorded(name)["response"]["body"]
    try:
        call.admit(VERIFIER, CATALOGUE)
    except AwsError:
        pytest.skip("not offered")
    if call.service.name in ("sagemaker", "logs", "cloudwatch"):
        assert json.loads(call.success(answer or {}).body) == (answer or {})


def test_operations_of_both_kinds_were_recorded():
    targets = {recorded(name)["request"]["headers"].get("x-amz-target", "").partition(".")[2] for name in FILES}
    offered = {operation for _, operation in OPERATIONS}
    assert len(targets & offered) > 15 and targets - offered
