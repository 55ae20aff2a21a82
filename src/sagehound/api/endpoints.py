"""Endpoints: create, describe, update, delete, list."""

from __future__ import annotations

from typing import Any

from sagehound.api import endpoint_configs, resources, support, tags
from sagehound.api.context import Context
from sagehound.api.lists import Listing
from sagehound.api.training_description import reason
from sagehound.errors import InvalidInput, NotFound
from sagehound.records.serving import Endpoint, EndpointConfig, EndpointStatus, Variant

_LISTING = Listing("Endpoints", order="Descending")
_BUSY = (EndpointStatus.CREATING, EndpointStatus.UPDATING, EndpointStatus.DELETING)


def create(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """CreateEndpoint: the record of an endpoint that the endpoint loop starts; nothing is waited for."""
    support.check("CreateEndpoint", request)
    config = endpoint_configs.find(request["EndpointConfigName"], context)
    endpoint = _record(request["EndpointName"], config, context)
    taken = InvalidInput(f'Cannot create already existing endpoint "{endpoint.arn}".')
    resources.add(context, endpoint, endpoint.arn, request, taken)
    return {"EndpointArn": endpoint.arn}


def describe(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """DescribeEndpoint."""
    endpoint = _find(request, context)
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config,
        "EndpointStatus": endpoint.status,
        "FailureReason": reason(endpoint.failure_reason),
        "CreationTime": endpoint.created_at,
        "LastModifiedTime": endpoint.modified_at,
        "ProductionVariants": _served(endpoint) or None,
        "PendingDeploymentSummary": _pending(endpoint, context),
    }


def update(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """UpdateEndpoint: asks the endpoint loop to move it to another configuration; refused while it is busy."""
    support.check("UpdateEndpoint", request)
    endpoint = _find(request, context)
    config = endpoint_configs.find(request["EndpointConfigName"], context)
    changes = {"status": EndpointStatus.UPDATING, "wanted": config.name, "failure_reason": ""}
    context.store.update(Endpoint, endpoint.name, lambda now: _changed(now, context, changes))
    return {"EndpointArn": endpoint.arn}


def delete(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """DeleteEndpoint: asks the endpoint loop to end its workers and to forget it; refused while it is busy."""
    endpoint = _find(request, context)
    context.store.update(
        Endpoint, endpoint.name, lambda now: _changed(now, context, {"status": EndpointStatus.DELETING})
    )
    tags.forget(endpoint.arn, context)
    return {}


def list_of(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """ListEndpoints."""
    return _LISTING.respond(request, context, Endpoint, _summary)


def _find(request: dict[str, Any], context: Context) -> Endpoint:
    name = request["EndpointName"]
    missing = InvalidInput(f'Could not find endpoint "{context.arn(Endpoint.kind, name)}".')
    return resources.find(context, Endpoint, name, missing)


def _record(name: str, config: EndpointConfig, context: Context) -> Endpoint:
    now = context.clock()
    return Endpoint(
        name=name, created_at=now, modified_at=now, arn=context.arn(Endpoint.kind, name), config=config.name
    )


def _changed(endpoint: Endpoint, context: Context, changes: dict[str, Any]) -> Endpoint:
    if endpoint.status in _BUSY:
        raise InvalidInput(f'Cannot update in-progress endpoint "{endpoint.arn}".')
    return endpoint.evolve(modified_at=context.clock(), **changes)


def _served(endpoint: Endpoint) -> list[dict[str, Any]]:
    """The variants that take calls: none while the endpoint is made, or after it failed."""
    if endpoint.status not in (EndpointStatus.IN_SERVICE, EndpointStatus.UPDATING):
        return []
    return [
        {
            "VariantName": variant.name,
            "CurrentWeight": variant.weight,
            "DesiredWeight": variant.weight,
            "CurrentInstanceCount": variant.instances,
            "DesiredInstanceCount": variant.instances,
        }
        for variant in endpoint.variants
    ]


def _variants(config: str, context: Context) -> tuple[Variant, ...]:
    try:
        return context.store.get(EndpointConfig, config).variants
    except NotFound:
        return ()


def _pending(endpoint: Endpoint, context: Context) -> dict[str, Any] | None:
    if endpoint.status is not EndpointStatus.UPDATING or not endpoint.wanted:
        return None
    pending = [
        {"VariantName": variant.name, "DesiredWeight": variant.weight, "DesiredInstanceCount": variant.instances}
        for variant in _variants(endpoint.wanted, context)
    ]
    return {
        "EndpointConfigName": endpoint.wanted,
        "ProductionVariants": pending or None,
        "StartTime": endpoint.modified_at,
    }


def _summary(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointStatus": endpoint.status,
        "CreationTime": endpoint.created_at,
        "LastModifiedTime": endpoint.modified_at,
    }
