"""Signature Version 4, signed by botocore."""

import dataclasses
import time

import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagehound.keys import Keys
from sagehound.wire.incoming import Incoming
from sagehound.wire.services import NAMED
from sagehound.wire.signature import Denial, Denied, Verifier
from tests.wire.samples import ENDPOINT, KEYS, arrived, built, presigned, signed

STS, IAM, SAGEMAKER = NAMED["sts"], NAMED["iam"], NAMED["sagemaker"]


def verifier(shift_s=0.0, region="us-east-1"):
    return Verifier(KEYS, region, lambda: time.time() + shift_s)


def describe(**kwargs):
    return arrived(signed(built("sagemaker", "DescribeModel", ModelName="m"), "sagemaker", **kwargs))


def denied(request, service=SAGEMAKER, by=None):
    with pytest.raises(Denied) as caught:
        (by or verifier()).verify(request, service)
    return caught.value.denial, str(caught.value)


def changed(request, **headers):
    merged = {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return dataclasses.replace(request, headers={name: value for name, value in merged.items() if value is not None})


def test_what_botocore_signs_is_let_in():
    verifier().verify(describe(), SAGEMAKER)
    verifier().verify(arrived(signed(built("sts", "GetCallerIdentity"), "sts")), STS)
    invoke = built("sagemaker-runtime", "InvokeEndpoint", EndpointName="e", Body=b"\xff\xd8", ContentType="image/jpeg")
    verifier().verify(arrived(signed(invoke, "sagemaker")), NAMED["sagemaker-runtime"])


def test_a_service_of_no_region_is_let_in_from_any():
    verifier(region="eu-west-1").verify(arrived(signed(built("iam", "GetRole", RoleName="r"), "iam")), IAM)


def test_a_presigned_address_is_let_in_for_its_lifetime():
    query = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    request = arrived(presigned(AWSRequest("GET", ENDPOINT + "/", {"Host": "127.0.0.1:8383"}, params=query), "sts"))
    verifier().verify(request, STS)
    verifier(shift_s=55).verify(request, STS)
    assert denied(request, STS, verifier(shift_s=65))[0] is Denial.EXPIRED
    assert denied(dataclasses.replace(request, query=request.query.replace("Expires=60", "Expires=90")), STS)[0] is (
        Denial.MISMATCH
    )
    for wrong in ("Expires=x", "Expires=9999999", "Expires=-5", f"Expires={'9' * 5000}"):
        longer = dataclasses.replace(request, query=request.query.replace("Expires=60", wrong))
        assert denied(longer, STS)[0] is Denial.INCOMPLETE


def test_a_payload_may_be_unsigned_where_its_header_says_so_under_the_signature():
    request = built("sagemaker", "DescribeModel", ModelName="m")
    request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    request.context["payload_signing_enabled"] = False
    came = arrived(signed(request, "sagemaker"))
    verifier().verify(dataclasses.replace(came, body=b"anything"), SAGEMAKER)
    assert denied(changed(describe(), x_amz_content_sha256="UNSIGNED-PAYLOAD"))[0] is Denial.MISMATCH


def test_no_signature_at_all():
    kind, message = denied(changed(describe(), authorization=None))
    assert kind is Denial.MISSING and "sagehound env" in message


def test_a_key_that_is_not_ours():
    assert denied(describe(keys=Keys("AKIAOTHER", KEYS.secret_key)))[0] is Denial.UNKNOWN_KEY


def test_another_secret():
    kind, message = denied(describe(keys=Keys(KEYS.access_key, "other")))
    assert kind is Denial.MISMATCH and "does not match the signature you provided" in message


@pytest.mark.parametrize(
    "change",
    [
        {"body": b'{"ModelName": "n"}'},
        {"path": "/other"},
        {"query": "a=b"},
        {"method": "PUT"},
    ],
)
def test_a_request_that_was_changed_on_its_way(change):
    assert denied(dataclasses.replace(describe(), **change))[0] is Denial.MISMATCH


def test_a_header_that_says_what_is_asked_must_be_signed():
    assert "x-amz-extra" in denied(changed(describe(), x_amz_extra="1"))[1]
    assert denied(changed(describe(), x_amz_target="SageMaker.DeleteModel"))[0] is Denial.MISMATCH
    assert denied(changed(describe(), host="elsewhere"))[0] is Denial.MISMATCH
    bare = describe()
    unsigned_host = bare.headers["authorization"].replace("host;", "")
    assert "'host' must be" in denied(changed(bare, authorization=unsigned_host))[1]


def test_fifteen_minutes_either_way():
    request = describe()
    verifier(shift_s=890).verify(request, SAGEMAKER)
    verifier(shift_s=-890).verify(request, SAGEMAKER)
    assert "Signature expired" in denied(request, by=verifier(shift_s=910))[1]
    assert "not yet current" in denied(request, by=verifier(shift_s=-910))[1]
    assert denied(request, by=verifier(shift_s=910))[0] is Denial.EXPIRED


def test_another_service_or_region():
    assert "correct service: 'sts'" in denied(describe(), STS)[1]
    kind, message = denied(describe(), by=verifier(region="eu-west-1"))
    assert kind is Denial.MISMATCH and "AWS_DEFAULT_REGION=eu-west-1" in message


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer token",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=f",
        "AWS4-HMAC-SHA256 Credential=a/20261122/us-east-1/sts/aws4_request, Signature=f",
        "AWS4-ECDSA-P256-SHA256 Credential=a/20261122/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=f",
    ],
)
def test_what_is_no_signature_of_version_four(authorization):
    assert denied(changed(describe(), authorization=authorization))[0] is Denial.INCOMPLETE


def test_a_date_must_be_one_and_be_that_of_the_scope():
    assert denied(changed(describe(), x_amz_date="2026-11-22"))[0] is Denial.INCOMPLETE
    assert denied(changed(describe(), x_amz_date=None))[0] is Denial.INCOMPLETE
    yesterday = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - 86400))
    assert denied(changed(describe(), x_amz_date=yesterday))[0] is Denial.MISMATCH


def test_a_date_header_does_where_it_is_signed():
    request = changed(describe(), x_amz_date=None, date=time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()))
    assert (
        "'date' must be a 'SignedHeader'"
        in denied(changed(request, authorization=request.headers["authorization"].replace(";x-amz-date", "")))[1]
    )


dates = st.sampled_from(["20261122T163026Z", "Sun, 22 Nov 2026 16:30:29 GMT", "Sun, 99999999999 Nov 1 0:0:0 +9999", ""])
authorizations = st.lists(
    st.sampled_from(
        ["Credential=", f"{KEYS.access_key}/20261122/us-east-1/sagemaker/aws4_request", "SignedHeaders=host"]
    )
    | st.sampled_from([";x-amz-date", "Signature=ff", ", ", " ", "/", "=", "é", "\x00"]),
    max_size=8,
).map(lambda parts: "AWS4-HMAC-SHA256 " + "".join(parts))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    authorizations | st.text(max_size=20), dates | st.text(max_size=10), st.text("aX-mzSigntureExps=&%1", max_size=40)
)
def test_whatever_is_claimed_without_the_secret_is_denied(authorization, date, query):
    headers = {"host": "h", "authorization": authorization, "date": date}
    denied(Incoming(method="POST", path="/", query=query, headers=headers, body=b""))
    denied(Incoming(method="GET", path="/", query=f"X-Amz-Signature={query}", headers={"host": "h"}, body=b""))
