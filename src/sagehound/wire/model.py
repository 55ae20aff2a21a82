"""AWS service models, read from botocore's data and cut down to the operations that are offered.

The files are decoded straight into the few fields used here: the documentation, most of their size, is never kept,
and neither botocore's own code nor jmespath is imported.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Collection
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from sagehound.errors import NotFound

ShapeType = Literal[
    "structure",
    "list",
    "map",
    "string",
    "character",
    "integer",
    "long",
    "float",
    "double",
    "boolean",
    "timestamp",
    "blob",
]


class Reference(msgspec.Struct, frozen=True, rename="camel"):
    """Where a shape is used: as a member, a list's element, a map's key or value."""

    shape: str
    location: str = ""
    location_name: str = ""
    result_wrapper: str = ""
    timestamp_format: str = ""


class Fault(msgspec.Struct, frozen=True, rename="camel"):
    """How an exception shape goes over the wire."""

    code: str = ""
    http_status_code: int = 400


class Shape(msgspec.Struct, frozen=True, rename="camel", dict=True):
    """A type of botocore's model. `min` and `max` bound a number, or the length of anything else."""

    type: ShapeType
    members: dict[str, Reference] = {}
    required: tuple[str, ...] = ()
    member: Reference | None = None
    key: Reference | None = None
    value: Reference | None = None
    min: float | None = None
    max: float | None = None
    pattern: str = ""
    enum: tuple[str, ...] = ()
    payload: str = ""
    union: bool = False
    exception: bool = False
    error: Fault | None = None
    timestamp_format: str = ""

    @cached_property
    def headers(self) -> list[tuple[str, str]]:
        """(header in lower case, member) of a structure's members that travel as headers."""
        members = self.members.items()
        return [(member.location_name.lower(), name) for name, member in members if member.location == "header"]

    @property
    def references(self) -> list[Reference]:
        """Every use of another shape in this one."""
        inner = (self.member, self.key, self.value)
        return [*self.members.values(), *(reference for reference in inner if reference)]


class Http(msgspec.Struct, frozen=True, rename="camel"):
    """An operation's place in a REST protocol."""

    method: str = "POST"
    request_uri: str = "/"


class Operation(msgspec.Struct, frozen=True):
    """One operation of a service."""

    name: str
    http: Http = Http()
    input: Reference | None = None
    output: Reference | None = None
    errors: tuple[Reference, ...] = ()


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """What a service's protocol needs to know of it."""

    api_version: str
    json_version: str = ""
    target_prefix: str = ""
    xml_namespace: str = ""


class ServiceModel(msgspec.Struct, frozen=True):
    """A service: its operations and their shapes. `known` names every operation of the service, offered or not."""

    metadata: Metadata
    operations: dict[str, Operation]
    shapes: dict[str, Shape]
    known: frozenset[str] = frozenset()

    def structure(self, reference: Reference | None) -> Shape:
        """The shape that `reference` names; an empty structure for none."""
        return self.shapes[reference.shape] if reference else _NOTHING

    def uri(self, operation: str) -> re.Pattern[str]:
        """The pattern of an operation's path, one group for each `{Member}` in it."""
        return _uri_pattern(self.operations[operation].http.request_uri)


_NOTHING = Shape(type="structure")


@lru_cache(maxsize=64)
def _uri_pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template)))


def load_model(service: str, offered: Collection[str] | None = None) -> ServiceModel:
    """The model of `service` (botocore's name for it) with the `offered` operations, None for all, and what they reach.

    NotFound where the installed botocore does not have the service.
    """
    whole = msgspec.json.decode(gzip.decompress(_file(service).read_bytes()), type=ServiceModel)
    names = whole.operations.keys() if offered is None else whole.operations.keys() & offered
    operations = {name: whole.operations[name] for name in sorted(names)}
    shapes = {name: whole.shapes[name] for name in _reachable(whole, operations)}
    return ServiceModel(whole.metadata, operations, shapes, frozenset(whole.operations))


def _file(service: str) -> Path:
    botocore = find_spec("botocore")
    folders = botocore.submodule_search_locations if botocore else None
    found = sorted(Path(next(iter(folders)), "data", service).glob("*/service-2.json.gz")) if folders else []
    if not found:
        raise NotFound(
            f"the installed botocore has no model of {service!r}; install botocore again: pip install botocore"
        )
    return found[-1]


def _reachable(model: ServiceModel, operations: dict[str, Operation]) -> set[str]:
    pending = {ref.shape for op in operations.values() for ref in (op.input, op.output, *op.errors) if ref}
    reached: set[str] = set()
    while pending:
        name = pending.pop()
        reached.add(name)
        pending |= {reference.shape for reference in model.shapes[name].references} - reached
    return reached
