"""Holding a response against botocore's model of it."""

from functools import cache
from typing import Any

import botocore.session
from botocore.model import Shape
from botocore.validate import ParamValidator


@cache
def _model(service: str) -> Any:
    return botocore.session.Session().get_service_model(service)


def assert_request(service: str, operation: str, request: dict[str, Any]) -> None:
    """`request` is one that botocore's model allows."""
    _assert_valid(_model(service).operation_model(operation).input_shape, request)


def without_none(value: Any) -> Any:
    """`value` as it goes over the wire."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    return [without_none(item) for item in value] if isinstance(value, list) else value


def assert_response(service: str, operation: str, response: dict[str, Any]) -> None:
    """`response` has every required member, no unknown one, and values of the right types and ranges."""
    shape = _model(service).operation_model(operation).output_shape
    if shape is None:
        assert response == {}, f"{operation} answers nothing"
        return
    _assert_valid(shape, response)
    unknown = list(_unknown(shape, response, operation))
    assert not unknown, f"{operation} has no such members: {unknown}"


def _assert_valid(shape: Shape, value: dict[str, Any]) -> None:
    report = ParamValidator().validate(value, shape)
    assert not report.has_errors(), report.generate_report()


def _unknown(shape: Shape, value: Any, path: str):
    if shape.type_name == "structure":
        for key, item in value.items():
            if key not in shape.members:
                yield f"{path}.{key}"
            else:
                yield from _unknown(shape.members[key], item, f"{path}.{key}")
    elif shape.type_name == "list":
        for item in value:
            yield from _unknown(shape.member, item, f"{path}[]")
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path}={value}"
