"""Finding, adding and removing the record of a resource, in AWS's words."""

from __future__ import annotations

import threading
from typing import Any

from sagehound.api import tags
from sagehound.api.context import Context
from sagehound.errors import AlreadyExists, NotFound, SagehoundError
from sagehound.records.record import Record
from sagehound.store.store import R

#: One resource is added at a time: of two requests for one name, the tags of the first stay.
_ADDING = threading.Lock()


def find(context: Context, kind: type[R], name: str, missing: SagehoundError) -> R:
    """The record of that name, or `missing`."""
    try:
        return context.store.get(kind, name)
    except NotFound:
        raise missing from None


def add(context: Context, record: Record, arn: str, request: dict[str, Any], taken: SagehoundError) -> None:
    """Store `record` and the request's `Tags`; `taken` where the name is, and then nothing is changed.

    The tags come first: what the record sets in motion may look at them.
    """
    given = request.get("Tags", [])
    tags.check({tag["Key"]: tag["Value"] for tag in given})
    with _ADDING:
        try:
            context.store.get(type(record), record.name)
        except NotFound:
            tags.forget(arn, context)  # Left by a request that was cut off after its tags.
        else:
            raise taken
        tags.attach(arn, given, context)
        try:
            context.store.insert(record)
        except AlreadyExists:
            raise taken from None


def remove(context: Context, kind: type[Record], name: str, arn: str, missing: SagehoundError) -> None:
    """Remove the record of that name and its tags, or `missing`."""
    try:
        context.store.delete(kind, name)
    except NotFound:
        raise missing from None
    tags.forget(arn, context)
