"""Turn an operation's response into what its protocol can write, checked against its shape."""

from __future__ import annotations

import base64
from typing import Any

from sagehound.wire.model import Reference, ServiceModel, Shape


def plain(model: ServiceModel, reference: Reference | None, value: dict[str, Any]) -> dict[str, Any]:
    """The response without its Nones, bytes in base64; a timestamp stays a number of seconds.

    A field that the shape does not have is a mistake of ours and raises KeyError.
    """
    return _structure(model, model.structure(reference), value)


def _plain(model: ServiceModel, shape: Shape, value: Any) -> Any:  # noqa: ANN401
    if shape.type == "structure":
        return _structure(model, shape, value)
    if shape.type == "list" and shape.member:
        element = model.shapes[shape.member.shape]
        return [_plain(model, element, item) for item in value]
    if shape.type == "map" and shape.value:
        element = model.shapes[shape.value.shape]
        return {name: _plain(model, element, item) for name, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _structure(model: ServiceModel, shape: Shape, value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(model, model.shapes[shape.members[name].shape], item)
        for name, item in value.items()
        if item is not None
    }
