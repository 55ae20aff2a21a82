"""AWS rest-json as the runtime speaks it: an address and headers beside an opaque body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sagehound.wire.errors import AwsError
from sagehound.wire.incoming import Incoming, Outgoing
from sagehound.wire.json_protocol import write_json
from sagehound.wire.model import ServiceModel
from sagehound.wire.scalars import read_text
from sagehound.wire.signature import Denial
from sagehound.wire.validate import checked


@dataclass(frozen=True, slots=True)
class RestJsonProtocol:
    """For operations whose bodies are payloads."""

    denials = {  # noqa: RUF012 - a class constant, not a field
        Denial.MISSING: ("MissingAuthenticationTokenException", 403),
        Denial.INCOMPLETE: ("IncompleteSignatureException", 403),
        Denial.UNKNOWN_KEY: ("UnrecognizedClientException", 403),
        Denial.MISMATCH: ("InvalidSignatureException", 403),
        Denial.EXPIRED: ("InvalidSignatureException", 403),
    }
    unknown_operation = "UnknownOperationException"

    def parse(self, model: ServiceModel, operation: str, incoming: Incoming) -> dict[str, Any]:
        shape = model.structure(model.operations[operation].input)
        found = model.uri(operation).fullmatch(incoming.path)
        given: dict[str, Any] = {name: unquote(value) for name, value in found.groupdict().items()} if found else {}
        for header, name in shape.headers:
            if header in incoming.headers:
                member = model.shapes[shape.members[name].shape]
                given[name] = read_text(member, incoming.headers[header], name)
        request = checked(model, model.operations[operation].input, given | _placeholder(shape.payload))
        return request | {shape.payload: incoming.body} if shape.payload else request

    def success(self, model: ServiceModel, operation: str, response: dict[str, Any], request_id: str) -> Outgoing:
        shape = model.structure(model.operations[operation].output)
        headers = {"x-amzn-RequestId": request_id}
        for header, name in shape.headers:
            if response.get(name) is not None:
                headers[header] = str(response[name])
        return Outgoing(200, response.get(shape.payload, b""), headers)

    def failure(self, error: AwsError, request_id: str) -> Outgoing:
        headers = {
            "x-amzn-RequestId": request_id,
            "x-amzn-ErrorType": error.code,
            "content-type": "application/json",
        }
        return Outgoing(error.status, write_json({"Message": error.message, **error.fields}), headers)


def operation_at(model: ServiceModel, incoming: Incoming) -> str:
    """The operation whose address `incoming` has; empty where there is none."""
    for name, operation in model.operations.items():
        if incoming.method == operation.http.method and model.uri(name).fullmatch(incoming.path):
            return name
    return ""


def _placeholder(payload: str) -> dict[str, bytes]:
    """The payload is checked by the body's limit alone: the model's own bound is what the service lets users raise."""
    return {payload: b""} if payload else {}
