"""AWS JSON 1.0 and 1.1: a target header, an object in, an object out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from sagehound.wire.errors import AwsError, Malformed
from sagehound.wire.incoming import Incoming, Outgoing
from sagehound.wire.model import ServiceModel
from sagehound.wire.responses import plain
from sagehound.wire.signature import Denial
from sagehound.wire.validate import checked


@dataclass(frozen=True, slots=True)
class JsonProtocol:
    """`version` is 1.0 or 1.1. With `query_mode` an error also carries the code that the query protocol had for it."""

    version: str = "1.1"
    query_mode: bool = False

    denials = {  # noqa: RUF012 - a class constant, not a field
        Denial.MISSING: ("MissingAuthenticationTokenException", 400),
        Denial.INCOMPLETE: ("IncompleteSignatureException", 400),
        Denial.UNKNOWN_KEY: ("UnrecognizedClientException", 400),
        Denial.MISMATCH: ("InvalidSignatureException", 400),
        Denial.EXPIRED: ("InvalidSignatureException", 400),
    }
    unknown_operation = "UnknownOperationException"

    def parse(self, model: ServiceModel, operation: str, incoming: Incoming) -> dict[str, Any]:
        return checked(model, model.operations[operation].input, read_json(incoming.body))

    def success(self, model: ServiceModel, operation: str, response: dict[str, Any], request_id: str) -> Outgoing:
        body = plain(model, model.operations[operation].output, response)
        return Outgoing(200, write_json(body), self._headers(request_id))

    def failure(self, error: AwsError, request_id: str) -> Outgoing:
        headers = self._headers(request_id)
        if self.query_mode:
            headers["x-amzn-query-error"] = f"{error.code};{'Receiver' if error.status >= 500 else 'Sender'}"
        body = {"__type": error.code, "message": error.message, **error.fields}
        return Outgoing(error.status, write_json(body), headers)

    def _headers(self, request_id: str) -> dict[str, str]:
        return {"x-amzn-RequestId": request_id, "content-type": f"application/x-amz-json-{self.version}"}


def read_json(body: bytes) -> Any:  # noqa: ANN401
    """The JSON value of a body, `{}` for an empty one; Malformed for anything else."""
    try:
        return msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise Malformed("the body is nested too deep; no operation's input is so deep") from None


def write_json(value: object) -> bytes:
    """The bytes of a JSON value. NaN and infinities are written as botocore reads them back."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        # Half of a surrogate pair, from a log that was not text: JSON can escape it, UTF-8 cannot say it.
        return json.dumps(value).encode()
    # msgspec writes what JSON cannot say as null: a metric that is NaN would silently be lost.
    return json.dumps(value).encode() if b"null" in encoded else encoded
