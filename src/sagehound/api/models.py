"""Models: create, describe, delete, list."""

from __future__ import annotations

from typing import Any

from sagehound.api import resources, support
from sagehound.api.context import Context
from sagehound.api.lists import Listing
from sagehound.errors import InvalidInput, Unsupported
from sagehound.names import S3Uri
from sagehound.records.serving import Model

_LISTING = Listing("Models", order="Descending")
_NOT_DESCRIBED = {"ModelName", "Tags"}


def create(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """CreateModel: remembers the archive and the environment; nothing is loaded before an endpoint wants it."""
    support.check("CreateModel", request)
    model = _record(request, context)
    resources.add(
        context, model, model.arn, request, InvalidInput(f'Cannot create already existing model "{model.arn}".')
    )
    return {"ModelArn": model.arn}


def describe(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """DescribeModel."""
    name = request["ModelName"]
    model = resources.find(context, Model, name, missing(name, context))
    return {**model.document, "ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created_at}


def delete(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """DeleteModel: forgets the model; its archive in S3 and the endpoints that serve it stay."""
    name = request["ModelName"]
    resources.remove(context, Model, name, context.arn(Model.kind, name), missing(name, context))
    return {}


def list_of(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """ListModels."""
    return _LISTING.respond(request, context, Model, _summary)


def missing(name: str, context: Context) -> InvalidInput:
    """AWS's answer for a model that there is not; a ValidationException."""
    return InvalidInput(f'Could not find model "{context.arn(Model.kind, name)}".')


def _record(request: dict[str, Any], context: Context) -> Model:
    name, now, container = request["ModelName"], context.clock(), _container(request)
    if not container.get("Image"):
        raise InvalidInput(f"the container of the model {name!r} has no Image; name the image of a framework")
    shown = {key: value for key, value in request.items() if key not in _NOT_DESCRIBED}
    return Model(
        name=name,
        created_at=now,
        modified_at=now,
        arn=context.arn(Model.kind, name),
        document={"EnableNetworkIsolation": False, **shown},
        image=container["Image"],
        data_uri=_data_uri(container),
        environment=container.get("Environment", {}),
    )


def _container(request: dict[str, Any]) -> dict[str, Any]:
    listed: list[dict[str, Any]] = request.get("Containers", [])
    primary: dict[str, Any] | None = request.get("PrimaryContainer")
    if len(listed) > 1:
        raise Unsupported(
            f"CreateModel: {len(listed)} Containers (an inference pipeline) are not supported by Sagehound; send one"
        )
    if bool(listed) == (primary is not None):
        raise InvalidInput("send either PrimaryContainer or Containers, and not both")
    return primary if primary is not None else listed[0]


def _data_uri(container: dict[str, Any]) -> str:
    """Where the model's archive is; empty for a container without one."""
    uri, source = container.get("ModelDataUrl", ""), container.get("ModelDataSource", {}).get("S3DataSource")
    if uri and source:
        raise InvalidInput("send either ModelDataUrl or ModelDataSource, and not both")
    if source:
        uri = _archive(source)
    if uri:
        S3Uri.parse(uri)
    return str(uri)


def _archive(source: dict[str, Any]) -> str:
    if source.get("S3DataType") != "S3Object" or source.get("CompressionType") != "Gzip":
        raise Unsupported(
            "CreateModel: ModelDataSource of uncompressed files is not supported by Sagehound; send the address of a "
            "model.tar.gz as ModelDataUrl"
        )
    return str(source["S3Uri"])


def _summary(model: Model) -> dict[str, Any]:
    return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created_at}
