"""The canonical form, against botocore's and AWS's published example."""

import hashlib

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagehound.wire.canonical import UNSIGNED, canonical_request, payload_hash
from sagehound.wire.incoming import Incoming
from tests.wire.samples import arrived


def incoming(**changes):
    whole = {"method": "POST", "path": "/", "query": "", "headers": {"host": "h"}, "body": b"", **changes}
    return Incoming(**whole)


def test_the_published_example_of_iam():
    request = incoming(
        method="GET",
        query="Action=ListUsers&Version=2010-05-08",
        headers={
            "host": "iam.amazonaws.com",
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "x-amz-date": "20150830T123600Z",
        },
    )
    text = canonical_request(request, ["content-type", "host", "x-amz-date"], payload_hash(request))
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    )


def test_a_header_is_folded_and_the_address_quoted_once_more():
    text = canonical_request(incoming(path="/endpoints/a%20b/x", headers={"host": "  h   i "}), ["host"], "hash")
    assert text == "POST\n/endpoints/a%2520b/x\n\nhost:h i\n\nhost\nhash"


def test_a_query_is_sorted_and_the_signature_left_out():
    text = canonical_request(incoming(query="b=2&a=x%2Fy&X-Amz-Signature=f&a=1&c"), ["host"], "hash")
    assert text.splitlines()[2] == "a=1&a=x%2Fy&b=2&c="


def test_an_unsigned_payload_is_taken_at_its_word():
    assert payload_hash(incoming(headers={"x-amz-content-sha256": UNSIGNED}, body=b"x")) == UNSIGNED
    assert len(payload_hash(incoming(body=b"x"))) == 64


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.text("abcxyz-_.~", min_size=1, max_size=5), st.text(max_size=10), max_size=4),
    st.binary(max_size=30),
)
def test_it_is_what_botocore_signs(query, body):
    request = AWSRequest("POST", "http://127.0.0.1:8383/", {"Host": "127.0.0.1:8383", "X-Odd": " a  b "}, body, query)
    signer = SigV4Auth(Credentials("AK", "sk"), "sts", "us-east-1")
    request.context["timestamp"] = "20261122T163026Z"
    came = arrived(request)
    names = sorted(name.lower() for name in signer.headers_to_sign(request))
    assert canonical_request(came, names, payload_hash(came)) == signer.canonical_request(request)
