"""Endpoint configurations: create, describe, delete, list."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sagehound.api import models, resources, support
from sagehound.api.context import Context
from sagehound.api.limits import check_instances
from sagehound.api.lists import Listing
from sagehound.errors import InvalidInput
from sagehound.records.serving import EndpointConfig, Model, Variant

_LISTING = Listing("EndpointConfigs", order="Descending")
_NOT_DESCRIBED = {"EndpointConfigName", "Tags"}
_DEFAULT_STARTUP_S = 600


def create(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """CreateEndpointConfig: which models an endpoint runs, on how many workers, with which part of the traffic."""
    support.check("CreateEndpointConfig", request)
    config = _record(request, context)
    for variant in config.variants:
        resources.find(context, Model, variant.model, models.missing(variant.model, context))
    taken = InvalidInput(f'Cannot create already existing endpoint configuration "{config.arn}".')
    resources.add(context, config, config.arn, request, taken)
    return {"EndpointConfigArn": config.arn}


def describe(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """DescribeEndpointConfig."""
    config = find(request["EndpointConfigName"], context)
    return {
        **config.document,
        "EndpointConfigName": config.name,
        "EndpointConfigArn": config.arn,
        "CreationTime": config.created_at,
    }


def delete(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """DeleteEndpointConfig: forgets the configuration; the endpoints that run it go on."""
    name = request["EndpointConfigName"]
    resources.remove(context, EndpointConfig, name, context.arn(EndpointConfig.kind, name), _missing(name, context))
    return {}


def list_of(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """ListEndpointConfigs."""
    return _LISTING.respond(request, context, EndpointConfig, _summary)


def find(name: str, context: Context) -> EndpointConfig:
    """The configuration of that name, or AWS's ValidationException."""
    return resources.find(context, EndpointConfig, name, _missing(name, context))


def _missing(name: str, context: Context) -> InvalidInput:
    return InvalidInput(f'Could not find endpoint configuration "{context.arn(EndpointConfig.kind, name)}".')


def _record(request: dict[str, Any], context: Context) -> EndpointConfig:
    name, now = request["EndpointConfigName"], context.clock()
    return EndpointConfig(
        name=name,
        created_at=now,
        modified_at=now,
        arn=context.arn(EndpointConfig.kind, name),
        document={key: value for key, value in request.items() if key not in _NOT_DESCRIBED},
        variants=_variants(request["ProductionVariants"]),
    )


def _variants(listed: list[dict[str, Any]]) -> tuple[Variant, ...]:
    variants = tuple(_variant(item) for item in listed)
    twice = [name for name, count in Counter(variant.name for variant in variants).items() if count > 1]
    if twice:
        raise InvalidInput(f"ProductionVariants has more than one {twice[0]!r}; every VariantName must be unique")
    if not any(variant.weight for variant in variants):
        raise InvalidInput("every InitialVariantWeight is 0; give at least one variant a part of the traffic")
    return variants


def _variant(item: dict[str, Any]) -> Variant:
    for field in ("ModelName", "InstanceType", "InitialInstanceCount"):
        if not item.get(field):
            raise InvalidInput(f"{field} is missing in the production variant {item['VariantName']!r}")
    check_instances(item["InitialInstanceCount"], item["InstanceType"], "endpoint")
    return Variant(
        name=item["VariantName"],
        model=item["ModelName"],
        instance_type=item["InstanceType"],
        instances=item["InitialInstanceCount"],
        weight=float(item.get("InitialVariantWeight", 1.0)),
        startup_timeout_s=item.get("ContainerStartupHealthCheckTimeoutInSeconds", _DEFAULT_STARTUP_S),
    )


def _summary(config: EndpointConfig) -> dict[str, Any]:
    return {"EndpointConfigName": config.name, "EndpointConfigArn": config.arn, "CreationTime": config.created_at}
