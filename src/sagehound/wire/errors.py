"""Errors in AWS's words.

Which code and HTTP status an exception of `sagehound.errors` gets depends on the service. It is looked up along the
exception's bases, so that a new error without a line of its own is reported as its parent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sagehound.errors import (
    AlreadyExists,
    IllegalTransition,
    InvalidInput,
    ModelError,
    NotFound,
    SagehoundError,
    ServiceUnavailable,
)
from sagehound.wire.model import Operation


@dataclass
class AwsError(SagehoundError):
    """An error as it goes over the wire. `fields` are members of its shape beside the message."""

    code: str
    text: str
    status: int = 400
    fields: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


class Malformed(InvalidInput):
    """The bytes of a request cannot be read as its operation's input."""


_ABSENT = "there is no "
_DECLARED: dict[type[Exception], str] = {NotFound: "ResourceNotFound", AlreadyExists: "ResourceInUse"}
_OWN_FAULT = ("InternalFailure", 500)
_SHARED: dict[type[Exception], tuple[str, int]] = {
    Malformed: ("SerializationException", 400),
    ServiceUnavailable: ("ServiceUnavailable", 503),
}
_CODES: dict[str, dict[type[Exception], tuple[str, int]]] = {
    "sagemaker": {
        InvalidInput: ("ValidationException", 400),
        NotFound: ("ValidationException", 400),
        AlreadyExists: ("ValidationException", 400),
        IllegalTransition: ("ValidationException", 400),
    },
    "sagemaker-runtime": {
        Malformed: ("ValidationError", 400),
        InvalidInput: ("ValidationError", 400),
        NotFound: ("ValidationError", 400),
        ModelError: ("ModelError", 424),
    },
    "logs": {
        InvalidInput: ("InvalidParameterException", 400),
        NotFound: ("ResourceNotFoundException", 400),
    },
    "cloudwatch": {
        Malformed: ("MalformedInput", 400),
        InvalidInput: ("InvalidParameterValue", 400),
        NotFound: ("ResourceNotFound", 404),
    },
    "sts": {Malformed: ("MalformedInput", 400), InvalidInput: ("ValidationError", 400)},
    "iam": {
        Malformed: ("MalformedInput", 400),
        InvalidInput: ("ValidationError", 400),
        NotFound: ("NoSuchEntity", 404),
    },
}


def aws_error(error: Exception, service: str, operation: Operation | None) -> AwsError:
    """What the caller of `operation` is told of `error`; an exception that nobody foresaw is an InternalFailure."""
    if isinstance(error, AwsError):
        return error
    if not isinstance(error, SagehoundError):
        return AwsError("InternalFailure", f"Sagehound failed: {error!r}; its log has the traceback", 500)
    code, status = _code(error, _SHARED | _CODES[service])
    if service == "sagemaker":
        # SageMaker's own exceptions are thrown only by the operations that declare them.
        declared = {reference.shape for reference in operation.errors} if operation else set()
        code = next((mine for kind, mine in _DECLARED.items() if isinstance(error, kind) and mine in declared), code)
    return AwsError(code, _worded(error), status)


def _code(error: Exception, codes: dict[type[Exception], tuple[str, int]]) -> tuple[str, int]:
    return next((codes[kind] for kind in type(error).__mro__ if kind in codes), _OWN_FAULT)


def _worded(error: SagehoundError) -> str:
    """SDKs look for the words "Could not find"; the store says it in its own."""
    text = error.message
    return f"Could not find {text.removeprefix(_ABSENT)}" if text.startswith(_ABSENT) else text
