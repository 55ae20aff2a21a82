"""A prefix in S3 that the tensors or the profile of a job are read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from sagehound.errors import InvalidInput, ObjectStoreError


class S3Files:
    """Files below `s3://bucket/prefix`, read in ranges through boto3; endpoint, region and keys are those of the
    environment (AWS_ENDPOINT_URL, ...). `side_by_side` is how many reads at once are worth it."""

    side_by_side = 16

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        if parts.scheme != "s3" or not parts.netloc:
            raise InvalidInput(f"{uri} is no S3 URI: it is written s3://bucket/prefix")
        self._uri = uri.rstrip("/")
        self._bucket = parts.netloc
        prefix = uri.removeprefix(f"s3://{parts.netloc}").strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._made: Any = None

    @property
    def place(self) -> str:
        return self._uri

    def sizes(self, prefix: str) -> Mapping[str, int]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        found: dict[str, int] = {}
        with suppress(FileNotFoundError), _worded(self._uri):
            for page in pages:
                found |= {each["Key"].removeprefix(self._prefix): each["Size"] for each in page.get("Contents", ())}
        return dict(sorted(found.items()))

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        if end is not None and end <= start:
            return b""
        wanted = f"bytes={start}-{'' if end is None else end - 1}"
        try:
            with _worded(f"{self._uri}/{name}"):
                got = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name, Range=wanted)
                data: bytes = got["Body"].read()
        except ObjectStoreError as error:
            # The range begins behind the file's end.
            if _code(error.__cause__) in ("InvalidRange", "416"):
                return b""
            raise
        return data

    def exists(self) -> bool:
        with suppress(FileNotFoundError), _worded(self._uri):
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
            return bool(found.get("KeyCount"))
        return False

    @property
    def _client(self) -> Any:  # noqa: ANN401 - boto3 makes its clients' classes when it runs
        if self._made is None:
            import boto3
            from botocore.config import Config

            # A checksum is that of the whole object, and ranges of it are read.
            config = Config(response_checksum_validation="when_required", max_pool_connections=32)
            self._made = boto3.Session().client("s3", config=config)
        return self._made


@contextmanager
def _worded(place: str) -> Iterator[None]:
    """What the object store answers, in the words of a folder."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if _code(error) in ("NoSuchKey", "NoSuchBucket", "404"):
            raise FileNotFoundError(place) from None
        raise ObjectStoreError(f"{place} could not be read: {error}") from error
    except BotoCoreError as error:
        raise ObjectStoreError(f"{place} could not be read: {error}") from error


def _code(error: BaseException | None) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
