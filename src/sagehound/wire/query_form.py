"""Read the forms of AWS's query protocol: `Dimensions.member.1.Name=x` into lists and objects."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from sagehound.wire.errors import Malformed
from sagehound.wire.incoming import Incoming
from sagehound.wire.model import Reference, ServiceModel, Shape
from sagehound.wire.scalars import read_text

_NUMBER = re.compile(r"[0-9]{1,6}")

#: Dotted names, split: a tree whose leaves are texts.
Tree = dict[str, Any]


def read_form(incoming: Incoming) -> dict[str, str]:
    """The fields of the body's form, or of the address where the body is empty; Malformed where it is not text."""
    try:
        text = incoming.body.decode() or incoming.query
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=10_000))
    except ValueError as error:
        raise Malformed(f"the body is not a form of names and values: {error}") from None


def read_structure(model: ServiceModel, reference: Reference | None, fields: dict[str, str]) -> dict[str, Any]:
    """The request that `fields` spell; their types are checked here, their constraints not yet."""
    return _structure(model, model.structure(reference), _tree(fields), "")


def _tree(fields: dict[str, str]) -> Tree:
    root: Tree = {}
    for name, value in fields.items():
        *path, last = name.split(".")
        node = root
        for part in path:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise Malformed(f"the form has both {part!r} and parts of it, in {name!r}")
        if last in node:
            raise Malformed(f"the form has both {name!r} and parts of it")
        node[last] = value
    return root


def _value(model: ServiceModel, shape: Shape, node: Any, at: str) -> Any:  # noqa: ANN401
    if shape.type not in ("structure", "list", "map"):
        return read_text(shape, node, at) if isinstance(node, str) else _refuse(at, shape)
    if node == "":
        return {} if shape.type != "list" else []
    if not isinstance(node, dict):
        return _refuse(at, shape)
    if shape.type == "structure":
        return _structure(model, shape, node, at)
    return _list(model, shape, node, at) if shape.type == "list" else _map(model, shape, node, at)


def _structure(model: ServiceModel, shape: Shape, node: Tree, at: str) -> dict[str, Any]:
    # An unknown name goes through as it is: the check of the whole request reports it.
    return {
        name: _value(model, model.shapes[shape.members[name].shape], item, f"{at}.{name}".lstrip("."))
        if name in shape.members
        else item
        for name, item in node.items()
    }


def _list(model: ServiceModel, shape: Shape, node: Tree, at: str) -> list[Any]:
    if shape.member is None:
        return []
    element = model.shapes[shape.member.shape]
    items = node.get(shape.member.location_name or "member", node)
    return [_value(model, element, item, f"{at}.{number}") for number, item in _numbered(items, at, shape)]


def _map(model: ServiceModel, shape: Shape, node: Tree, at: str) -> dict[str, Any]:
    if shape.key is None or shape.value is None:
        return {}
    key, value = shape.key.location_name or "key", shape.value.location_name or "value"
    element = model.shapes[shape.value.shape]
    entries = [entry for _, entry in _numbered(node.get("entry", node), at, shape)]
    if not all(isinstance(entry, dict) and isinstance(entry.get(key), str) for entry in entries):
        _refuse(at, shape)
    return {entry[key]: _value(model, element, entry.get(value, ""), f"{at}.{entry[key]}") for entry in entries}


def _numbered(node: Any, at: str, shape: Shape) -> list[tuple[int, Any]]:  # noqa: ANN401
    if not isinstance(node, dict) or not all(_NUMBER.fullmatch(name) for name in node):
        _refuse(at, shape)
    return sorted(((int(name), item) for name, item in node.items()), key=lambda numbered: numbered[0])


def _refuse(at: str, shape: Shape) -> Any:  # noqa: ANN401
    raise Malformed(f"{at!r} cannot be read: it must be a {shape.type}, as the query protocol spells one")
