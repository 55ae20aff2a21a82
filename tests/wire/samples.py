"""Requests as botocore builds and signs them."""

from functools import cache
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.serialize import create_serializer

from sagehound.keys import Keys
from sagehound.wire.incoming import Incoming

KEYS = Keys("AKIAEXAMPLEEXAMPLE22", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
ENDPOINT = "http://127.0.0.1:8383"


@cache
def botocore_model(service: str) -> Any:
    return botocore.session.Session().get_service_model(service)


def built(service: str, operation: str, protocol: str = "", **request: Any) -> AWSRequest:
    """The unsigned request that botocore makes for an operation."""
    model = botocore_model(service)
    serializer = create_serializer(protocol or model.resolved_protocol, include_validation=False)
    parts = serializer.serialize_to_request(request, model.operation_model(operation))
    headers = {**parts["headers"], "Host": "127.0.0.1:8383"}
    return AWSRequest(parts["method"], ENDPOINT + parts["url_path"], headers, parts["body"], parts["query_string"])


def signed(request: AWSRequest, scope: str, keys: Keys = KEYS, region: str = "us-east-1") -> AWSRequest:
    """`request` with an Authorization header for the service that `scope` names, as of now."""
    SigV4Auth(Credentials(keys.access_key, keys.secret_key), scope, region).add_auth(request)
    return request


def presigned(request: AWSRequest, scope: str, expires_s: int = 60) -> AWSRequest:
    """`request` as an address that carries its own signature."""
    credentials = Credentials(KEYS.access_key, KEYS.secret_key)
    SigV4QueryAuth(credentials, scope, "us-east-1", expires=expires_s).add_auth(request)
    return request


def arrived(request: AWSRequest) -> Incoming:
    """The request as the service receives it."""
    prepared = request.prepare()
    path, _, query = prepared.url.removeprefix(ENDPOINT).partition("?")
    body = prepared.body or b""
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    return Incoming(
        method=prepared.method,
        path=path,
        query=query,
        headers=headers,
        body=body.encode() if isinstance(body, str) else bytes(body),
    )


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
