"""Tags of training jobs, tuning jobs, models, endpoint configurations and endpoints."""

from __future__ import annotations

from typing import Any

from sagehound.api.context import Context
from sagehound.errors import AlreadyExists, InvalidInput, NotFound
from sagehound.names import Arn
from sagehound.records.record import Record
from sagehound.records.serving import Endpoint, EndpointConfig, Model
from sagehound.records.tags import TagSet
from sagehound.records.training import TrainingJob
from sagehound.records.tuning import TuningJob

_TAGGABLE: tuple[type[Record], ...] = (TrainingJob, TuningJob, Model, EndpointConfig, Endpoint)
_KINDS = {kind.kind: kind for kind in _TAGGABLE}
_MOST_TAGS = 50


def add(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """Add tags to a resource, replacing those of the same keys; answers all that it has."""
    arn = _existing(request["ResourceArn"], context)
    return {"Tags": _listed(attach(arn, request["Tags"], context))}


def list_of(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """All tags of a resource: at most 50, so always on one page."""
    if request.get("NextToken"):
        raise InvalidInput("NextToken is not one of ListTags: its first page has every tag")
    return {"Tags": _listed(_tags(_existing(request["ResourceArn"], context), context))}


def delete(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """Take the tags of the given keys away; keys that it does not have are no error."""
    arn, gone = _existing(request["ResourceArn"], context), set(request["TagKeys"])
    if _tags(arn, context):
        context.store.update(TagSet, arn, lambda record: _changed(record, context, _without(record.tags, gone)))
    return {}


def attach(arn: str, tags: list[dict[str, str]], context: Context) -> dict[str, str]:
    """Add the request's `Tags` to the resource `arn`, which is known to exist; all that it has then."""
    new = {tag["Key"]: tag["Value"] for tag in tags}
    if not new:
        return _tags(arn, context)
    check(new)
    now = context.clock()
    try:
        context.store.insert(TagSet(name=arn, created_at=now, modified_at=now, tags=new))
    except AlreadyExists:
        return context.store.update(TagSet, arn, lambda record: _changed(record, context, record.tags | new)).tags
    return new


def forget(arn: str, context: Context) -> None:
    """Drop every tag of the resource `arn`, which is being deleted."""
    try:
        context.store.delete(TagSet, arn)
    except NotFound:
        return


def _existing(text: str, context: Context) -> str:
    arn = Arn.parse(text)
    kind = _KINDS.get(arn.resource)
    if kind is None or text != context.arn(arn.resource, arn.name):
        raise NotFound(f"there is no resource {text}")
    context.store.get(kind, arn.name)
    return text


def _tags(arn: str, context: Context) -> dict[str, str]:
    try:
        return context.store.get(TagSet, arn).tags
    except NotFound:
        return {}


def _changed(record: TagSet, context: Context, tags: dict[str, str]) -> TagSet:
    check(tags)
    return record.evolve(tags=tags, modified_at=context.clock())


def check(tags: dict[str, str]) -> None:
    """InvalidInput where a resource cannot have `tags`."""
    if len(tags) > _MOST_TAGS:
        raise InvalidInput(f"{len(tags)} tags are too many: a resource has at most {_MOST_TAGS}")
    reserved = sorted(key for key in tags if key.lower().startswith("aws:"))
    if reserved:
        raise InvalidInput(f"the tag key {reserved[0]!r} is reserved: keys must not start with aws:")


def _without(tags: dict[str, str], gone: set[str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key not in gone}


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
