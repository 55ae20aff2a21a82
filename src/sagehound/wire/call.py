"""Which operation of which service a request asks for, in which protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from sagehound.wire.errors import AwsError, Malformed, aws_error
from sagehound.wire.incoming import Incoming, Outgoing
from sagehound.wire.json_protocol import JsonProtocol
from sagehound.wire.model import Operation, ServiceModel
from sagehound.wire.query_form import read_form
from sagehound.wire.query_protocol import QueryProtocol
from sagehound.wire.rest_json import RestJsonProtocol, operation_at
from sagehound.wire.services import BY_TARGET, BY_VERSION, NAMED, RUNTIME, Catalogue, Service
from sagehound.wire.signature import Denial, Denied, Verifier

_ENDPOINTS = "/endpoints/"


class WireProtocol(Protocol):
    """A protocol: reads an operation's request, writes its response or an error.

    `denials` are its codes and statuses for a signature that does not let in; `unknown_operation` its code for an
    operation that there is not.
    """

    @property
    def denials(self) -> dict[Denial, tuple[str, int]]: ...
    @property
    def unknown_operation(self) -> str: ...
    def parse(self, model: ServiceModel, operation: str, incoming: Incoming) -> dict[str, Any]: ...
    def success(self, model: ServiceModel, operation: str, response: dict[str, Any], request_id: str) -> Outgoing: ...
    def failure(self, error: AwsError, request_id: str) -> Outgoing: ...


@dataclass(slots=True)
class Call:
    """One request on its way to an operation. `service` is None, or `operation` empty, where it names none."""

    protocol: WireProtocol
    service: Service | None
    operation: str
    incoming: Incoming
    request_id: str
    _model: ServiceModel | None = field(default=None, repr=False)

    def admit(self, verifier: Verifier, catalogue: Catalogue) -> tuple[str, str]:
        """The operation's key in the table, once the signature is right and the operation is one that is offered."""
        try:
            verifier.verify(self.incoming, self.service)
        except Denied as denied:
            code, status = self.protocol.denials[denied.denial]
            raise AwsError(code, denied.message, status) from None
        if self.service is None:
            raise self._unknown(f"{self._asked()} is no operation of a service that Sagehound speaks for")
        self._model = catalogue.model(self.service)
        if self.service is RUNTIME:
            self.operation = operation_at(self._model, self.incoming)
        if catalogue.offers(self.service, self.operation):
            return self.service.name, self.operation
        if self.operation in self._model.known:
            raise AwsError(
                "UnsupportedOperation",
                f"{self.operation} is an operation of {self.service.name} that Sagehound does not offer; "
                "COVERAGE.md lists those that it does",
            )
        raise self._unknown(f"{self._asked()} is no operation of {self.service.name}")

    def request(self) -> dict[str, Any]:
        """The operation's input, checked; only after `admit`."""
        return self.protocol.parse(self._admitted(), self.operation, self.incoming)

    def success(self, response: dict[str, Any]) -> Outgoing:
        """The answer that carries `response`."""
        return self.protocol.success(self._admitted(), self.operation, response, self.request_id)

    def failure(self, error: Exception) -> Outgoing:
        """The answer that carries `error`."""
        declared: Operation | None = self._model.operations.get(self.operation) if self._model else None
        service = self.service.name if self.service else "sagemaker"
        return self.protocol.failure(aws_error(error, service, declared), self.request_id)

    def _admitted(self) -> ServiceModel:
        assert self._model is not None, "admit() comes first"
        return self._model

    def _asked(self) -> str:
        return repr(self.operation) if self.operation else f"{self.incoming.method} {self.incoming.path}"

    def _unknown(self, message: str) -> AwsError:
        return AwsError(self.protocol.unknown_operation, message, 404)


def is_runtime(incoming: Incoming) -> bool:
    """Whether the request is for the runtime, which signs as `sagemaker` and is told by its path alone."""
    return incoming.path.startswith(_ENDPOINTS)


def route(incoming: Incoming, request_id: str) -> Call:
    """The call that `incoming` makes. Never fails: what names no operation is told so by `admit`, in its protocol."""
    headers = incoming.headers
    if is_runtime(incoming):
        return Call(RestJsonProtocol(), RUNTIME, "", incoming, request_id)
    target = headers.get("x-amz-target")
    if target is not None:
        prefix, _, operation = target.rpartition(".")
        version = "1.0" if "json-1.0" in headers.get("content-type", "") else "1.1"
        protocol = JsonProtocol(version, query_mode=headers.get("x-amzn-query-mode") == "true")
        return Call(protocol, BY_TARGET.get(prefix), operation if prefix in BY_TARGET else target, incoming, request_id)
    if "x-www-form-urlencoded" in headers.get("content-type", "") or "Action=" in incoming.query:
        return _form_call(incoming, request_id)
    return Call(JsonProtocol(), None, "", incoming, request_id)


def _form_call(incoming: Incoming, request_id: str) -> Call:
    try:
        fields = read_form(incoming)
    except Malformed:
        fields = {}
    service = BY_VERSION.get(fields.get("Version", ""))
    return Call(
        QueryProtocol((service or NAMED["sts"]).namespace), service, fields.get("Action", ""), incoming, request_id
    )
