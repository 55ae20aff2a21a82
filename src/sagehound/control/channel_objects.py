"""Which objects a channel holds, and where each of them shows in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sagehound.errors import InvalidInput, JobFailure, NotFound
from sagehound.names import S3Uri
from sagehound.objects.store import ObjectStore
from sagehound.records.training import Channel


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a channel: its address, size in bytes, and path in the channel's folder."""

    uri: S3Uri
    size_bytes: int
    path: str


def items(objects: ObjectStore, channel: Channel) -> list[Item]:
    """Every object of the channel, in the order of their keys or of the manifest; JobFailure where there is none."""
    found = list(
        _listed_in_manifest(objects, channel) if channel.data_type == "ManifestFile" else _of(objects, channel)
    )
    if not found:
        raise missing(channel)
    for item in found:
        if any(part in ("", ".", "..") for part in item.path.split("/")):
            raise JobFailure(
                f"ClientError: Data download failed: {item.uri} cannot be a file in channel {channel.name}"
            )
    return found


def missing(channel: Channel) -> JobFailure:
    """That a channel's address holds nothing, in AWS's words."""
    bucket = S3Uri.parse(channel.uri).bucket
    return JobFailure(
        f'ClientError: Data download failed:No S3 objects found under S3 URL "{channel.uri}" given in input data '
        f"source (channel {channel.name}). Please ensure that the bucket exists and that objects exist under that "
        f"S3 prefix; to see what is there: aws s3 ls s3://{bucket} --recursive"
    )


def _of(objects: ObjectStore, channel: Channel) -> Iterator[Item]:
    """An address that is a folder shows its content; one that only begins several names shows those names whole.

    `s3://b/data` shows `data/x` as `x`, but, beside it, `database/y` as `database/y` and `data.csv` as `data.csv`.
    """
    prefix = S3Uri.parse(channel.uri)
    inside = f"{prefix.key.rstrip('/')}/" if prefix.key else ""
    above = prefix.key.rpartition("/")[0]
    outside = f"{above}/" if above else ""
    try:
        for info in objects.list(prefix):
            if info.key.endswith("/"):
                continue  # what a console makes to show an empty folder
            path = info.key.removeprefix(inside if info.key.startswith(inside) else outside)
            yield Item(S3Uri(prefix.bucket, info.key), info.size_bytes, path)
    except NotFound:
        raise missing(channel) from None


def _listed_in_manifest(objects: ObjectStore, channel: Channel) -> Iterator[Item]:
    """A manifest is `[{"prefix": "s3://bucket/some/"}, "a.jpg", "b/c.jpg", ...]`."""
    where = S3Uri.parse(channel.uri)
    try:
        entries = json.loads(objects.read(where))
        prefix, names = S3Uri.parse(entries[0]["prefix"]), entries[1:]
        if not all(isinstance(name, str) for name in names):
            raise TypeError("a name is not text")
    except NotFound:
        raise missing(channel) from None
    except (ValueError, KeyError, IndexError, TypeError, InvalidInput) as error:
        raise JobFailure(
            f"ClientError: the manifest {where} of channel {channel.name} cannot be read ({error!r}); it must be "
            '[{"prefix": "s3://bucket/prefix/"}, "name", ...]'
        ) from None
    sizes = _sizes(objects, prefix, channel)
    for name in names:
        key = prefix.key + name
        if key not in sizes:
            raise JobFailure(
                f"ClientError: Data download failed: the manifest {where} names s3://{prefix.bucket}/{key}, "
                "which does not exist"
            )
        yield Item(S3Uri(prefix.bucket, key), sizes[key], name.lstrip("/"))


def _sizes(objects: ObjectStore, prefix: S3Uri, channel: Channel) -> dict[str, int]:
    try:
        return {info.key: info.size_bytes for info in objects.list(prefix)}
    except NotFound:
        raise missing(channel) from None
