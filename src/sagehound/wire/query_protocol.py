"""AWS query: a form in, XML out. STS, IAM and older clients of CloudWatch speak it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from sagehound.wire.errors import AwsError
from sagehound.wire.incoming import Incoming, Outgoing
from sagehound.wire.model import ServiceModel, Shape
from sagehound.wire.query_form import read_form, read_structure
from sagehound.wire.responses import plain
from sagehound.wire.scalars import iso8601
from sagehound.wire.signature import Denial
from sagehound.wire.validate import checked

#: Characters that XML 1.0 cannot carry in any spelling.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class QueryProtocol:
    """`namespace` is the service's, which its answers carry."""

    namespace: str

    denials = {  # noqa: RUF012 - a class constant, not a field
        Denial.MISSING: ("MissingAuthenticationToken", 403),
        Denial.INCOMPLETE: ("IncompleteSignature", 400),
        Denial.UNKNOWN_KEY: ("InvalidClientTokenId", 403),
        Denial.MISMATCH: ("SignatureDoesNotMatch", 403),
        Denial.EXPIRED: ("RequestExpired", 400),
    }
    unknown_operation = "InvalidAction"

    def parse(self, model: ServiceModel, operation: str, incoming: Incoming) -> dict[str, Any]:
        fields = read_form(incoming)
        # What names the operation, or signs a presigned address, is none of its input.
        mine = {k: v for k, v in fields.items() if k not in ("Action", "Version") and not k.startswith("X-Amz-")}
        shape = model.operations[operation].input
        return checked(model, shape, read_structure(model, shape, mine))

    def success(self, model: ServiceModel, operation: str, response: dict[str, Any], request_id: str) -> Outgoing:
        output = model.operations[operation].output
        shape = model.structure(output)
        inner = _structure(model, shape, plain(model, output, response))
        result = output.result_wrapper if output else ""
        body = f"<{result}>{inner}</{result}>" if result else inner
        meta = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        return self._answer(200, f"{operation}Response", body + meta, request_id)

    def failure(self, error: AwsError, request_id: str) -> Outgoing:
        side = "Receiver" if error.status >= 500 else "Sender"
        body = (
            f"<Error><Type>{side}</Type><Code>{_text(error.code)}</Code><Message>{_text(error.message)}</Message></Error>"
            f"<RequestId>{request_id}</RequestId>"
        )
        return self._answer(error.status, "ErrorResponse", body, request_id)

    def _answer(self, status: int, root: str, body: str, request_id: str) -> Outgoing:
        document = f'<{root} xmlns="{self.namespace}">{body}</{root}>'
        return Outgoing(status, document.encode(), {"x-amzn-RequestId": request_id, "content-type": "text/xml"})


def _structure(model: ServiceModel, shape: Shape, value: dict[str, Any]) -> str:
    named = ((shape.members[name].location_name or name, name, item) for name, item in value.items())
    return "".join(
        f"<{tag}>{_element(model, model.shapes[shape.members[name].shape], item)}</{tag}>" for tag, name, item in named
    )


def _element(model: ServiceModel, shape: Shape, value: Any) -> str:  # noqa: ANN401
    match shape.type:
        case "structure":
            return _structure(model, shape, value)
        case "list" if shape.member:
            tag, element = shape.member.location_name or "member", model.shapes[shape.member.shape]
            return "".join(f"<{tag}>{_element(model, element, item)}</{tag}>" for item in value)
        case "map" if shape.value:
            element = model.shapes[shape.value.shape]
            return "".join(
                f"<entry><key>{_text(key)}</key><value>{_element(model, element, item)}</value></entry>"
                for key, item in value.items()
            )
        case "timestamp":
            return iso8601(value)
        case "boolean":
            return str(value).lower()
    return _text(str(value))


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", value))
