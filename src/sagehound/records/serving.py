"""Models, endpoint configurations and endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from sagehound.records.record import Document, Record, Transitions


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Record):
    """A model: its archive in S3 and the environment of its container."""

    kind: ClassVar[str] = "model"

    arn: str
    document: Document
    image: str = ""
    data_uri: str = ""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One production variant: `instances` workers of a model, `weight` of the traffic."""

    name: str
    model: str
    instance_type: str = ""
    instances: int = 1
    weight: float = 1.0
    startup_timeout_s: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig(Record):
    """What an endpoint runs."""

    kind: ClassVar[str] = "endpoint-config"

    arn: str
    document: Document
    variants: tuple[Variant, ...]


class EndpointStatus(StrEnum):
    """`Deleting` lasts until every worker is gone; then the record is removed."""

    CREATING = "Creating"
    UPDATING = "Updating"
    IN_SERVICE = "InService"
    FAILED = "Failed"
    DELETING = "Deleting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Record):
    """An endpoint. `config` is the configuration it serves, `wanted` the one it is moving to (empty: none).
    `variants` is what it serves, whatever became of that configuration; empty before it is first in service.

    After a failed update the endpoint is InService on its old `config`, with the reason in `failure_reason`.
    """

    kind: ClassVar[str] = "endpoint"
    transitions: ClassVar[Transitions] = {
        EndpointStatus.CREATING: frozenset({EndpointStatus.IN_SERVICE, EndpointStatus.FAILED, EndpointStatus.DELETING}),
        EndpointStatus.UPDATING: frozenset({EndpointStatus.IN_SERVICE, EndpointStatus.FAILED, EndpointStatus.DELETING}),
        EndpointStatus.IN_SERVICE: frozenset({EndpointStatus.UPDATING, EndpointStatus.FAILED, EndpointStatus.DELETING}),
        EndpointStatus.FAILED: frozenset({EndpointStatus.UPDATING, EndpointStatus.IN_SERVICE, EndpointStatus.DELETING}),
    }

    arn: str
    config: str
    wanted: str = ""
    variants: tuple[Variant, ...] = ()
    status: EndpointStatus = EndpointStatus.CREATING
    failure_reason: str = ""
