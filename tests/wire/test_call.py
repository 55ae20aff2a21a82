"""From a request to its operation."""

import dataclasses
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagehound.wire.call import route
from sagehound.wire.errors import AwsError
from sagehound.wire.incoming import Incoming
from sagehound.wire.json_protocol import JsonProtocol
from sagehound.wire.query_protocol import QueryProtocol
from sagehound.wire.rest_json import RestJsonProtocol
from sagehound.wire.services import Catalogue
from sagehound.wire.signature import Verifier
from tests.wire.samples import KEYS, arrived, built, signed

OFFERED = [
    ("sagemaker", "DescribeModel"),
    ("sagemaker-runtime", "InvokeEndpoint"),
    ("cloudwatch", "GetMetricStatistics"),
    ("sts", "GetCallerIdentity"),
]
CATALOGUE = Catalogue(OFFERED)
VERIFIER = Verifier(KEYS, "us-east-1", time.time)
METRIC = {
    "Namespace": "n",
    "MetricName": "m",
    "StartTime": "2026-11-22T16:00:00Z",
    "EndTime": "2026-11-22T17:00:00Z",
    "Period": 60,
}


def sent(service, operation, scope, protocol="", **request):
    return arrived(signed(built(service, operation, protocol, **request), scope))


# A signature is good for some minutes, and tests may be collected long before they run: each signs what it sends.
@pytest.mark.parametrize(
    ("service", "operation", "scope", "sent_as", "request_", "protocol", "key"),
    [
        ("sagemaker", "DescribeModel", "sagemaker", "", {"ModelName": "m"}, JsonProtocol("1.1"), OFFERED[0]),
        (
            "sagemaker-runtime",
            "InvokeEndpoint",
            "sagemaker",
            "",
            {"EndpointName": "e", "Body": b"x"},
            RestJsonProtocol(),
            OFFERED[1],
        ),
        (
            "cloudwatch",
            "GetMetricStatistics",
            "monitoring",
            "json",
            METRIC,
            JsonProtocol("1.0", query_mode=True),
            OFFERED[2],
        ),
        (
            "cloudwatch",
            "GetMetricStatistics",
            "monitoring",
            "query",
            METRIC,
            QueryProtocol("http://monitoring.amazonaws.com/doc/2010-08-01/"),
            OFFERED[2],
        ),
        (
            "sts",
            "GetCallerIdentity",
            "sts",
            "",
            {},
            QueryProtocol("https://sts.amazonaws.com/doc/2011-06-15/"),
            OFFERED[3],
        ),
    ],
    ids=["json", "rest-json", "json-1.0", "query-monitoring", "query-sts"],
)
def test_each_protocol_is_told(service, operation, scope, sent_as, request_, protocol, key):
    incoming = sent(service, operation, scope, sent_as, **request_)
    call = route(incoming, "r-1")
    assert call.protocol == protocol
    assert call.admit(VERIFIER, CATALOGUE) == key
    assert isinstance(call.request(), dict)


def refused(incoming):
    with pytest.raises(AwsError) as caught:
        route(incoming, "r-1").admit(VERIFIER, CATALOGUE)
    return caught.value


def retargeted(target):
    request = built("sagemaker", "DescribeModel", ModelName="m")
    request.headers.replace_header("X-Amz-Target", target)
    return arrived(signed(request, "sagemaker"))


def test_an_operation_that_there_is_not_is_named():
    error = refused(retargeted("SageMaker.DescribeDog"))
    assert (error.code, error.status) == ("UnknownOperationException", 404)
    assert error.message == "'DescribeDog' is no operation of sagemaker"
    assert "'Kennel.Bark'" in refused(retargeted("Kennel.Bark")).message


def test_an_operation_that_is_not_offered_is_named():
    error = refused(sent("sagemaker", "CreateAutoMLJob", "sagemaker"))
    assert (error.code, error.status) == ("UnsupportedOperation", 400)
    assert "CreateAutoMLJob is an operation of sagemaker that Sagehound does not offer" in error.message
    async_ = sent("sagemaker-runtime", "InvokeEndpointAsync", "sagemaker", EndpointName="e", InputLocation="s3://b/k")
    assert "InvokeEndpointAsync is an operation of sagemaker-runtime" in refused(async_).message


def test_a_path_that_is_none_is_told():
    request = built("sagemaker-runtime", "InvokeEndpoint", EndpointName="e", Body=b"x")
    request.url += "/more"
    error = refused(arrived(signed(request, "sagemaker")))
    assert (error.code, error.status) == ("UnknownOperationException", 404)
    assert error.message == "POST /endpoints/e/invocations/more is no operation of sagemaker-runtime"


def test_without_a_signature_nothing_is_told_of_operations():
    bare = arrived(built("sagemaker", "CreateAutoMLJob"))
    assert refused(bare).code == "MissingAuthenticationTokenException"
    assert refused(dataclasses.replace(bare, headers={"host": "h"})).code == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    ("service", "scope", "code", "status"),
    [
        ("sagemaker", "sts", "InvalidSignatureException", 400),
        ("sts", "sagemaker", "SignatureDoesNotMatch", 403),
        ("sagemaker-runtime", "sts", "InvalidSignatureException", 403),
    ],
)
def test_each_protocol_has_its_codes_for_a_signature(service, scope, code, status):
    operation = next(operation for name, operation in OFFERED if name == service)
    needed = {
        "DescribeModel": {"ModelName": "m"},
        "InvokeEndpoint": {"EndpointName": "e", "Body": b""},
        "GetCallerIdentity": {},
    }
    error = refused(sent(service, operation, scope, **needed[operation]))
    assert (error.code, error.status) == (code, status)


def test_a_form_of_no_known_service_is_told_in_xml():
    incoming = dataclasses.replace(
        sent("sts", "GetCallerIdentity", "sts"), body=b"Action=Bark&Version=%22%3E%3Cevil", headers={}
    )
    incoming = dataclasses.replace(incoming, headers={"content-type": "application/x-www-form-urlencoded"})
    call = route(incoming, "r-1")
    outgoing = call.failure(refused(incoming))
    assert call.service is None and outgoing.body.startswith(b"<ErrorResponse") and b"evil" not in outgoing.body


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["/", "/endpoints/e/invocations", "/endpoints/", "/\xff"]) | st.text(max_size=10),
    st.sampled_from(["", "Action=GetCallerIdentity", "X-Amz-Signature=f", "Action=%ff&Version=2011-06-15"]),
    st.dictionaries(
        st.sampled_from(["x-amz-target", "content-type", "authorization", "x-amz-date"]),
        st.sampled_from(["SageMaker.", ".", "application/x-www-form-urlencoded", "AWS4-HMAC-SHA256 a"])
        | st.text(max_size=9),
    ),
    st.binary(max_size=20) | st.just(b"Action=x&Version=2010-08-01"),
)
def test_whatever_comes_unsigned_is_answered_in_words(path, query, headers, body):
    call = route(Incoming(method="POST", path=path, query=query, headers=headers, body=body), "r-1")
    with pytest.raises(AwsError) as caught:
        call.admit(VERIFIER, CATALOGUE)
    assert call.failure(caught.value).status in (400, 403)
