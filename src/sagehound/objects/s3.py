"""An object store over the S3 protocol: the embedded server, another S3 by URL, or AWS."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagehound.errors import NotFound, ObjectStoreError, ObjectStoreRefusal
from sagehound.keys import Keys
from sagehound.names import S3Uri
from sagehound.objects.store import ObjectInfo

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

#: From this size on an object is fetched in parallel pieces.
_PIECES_FROM_BYTES = 32 * 2**20
#: Statuses of a client's error that say: try again.
_LATER = {408, 425, 429}
_MISSING = {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}


class S3Objects:
    """`ObjectStore` over S3. `endpoint` empty is AWS; `keys` None leaves them to boto3 (environment, profile, role).

    Trouble with a local file stays an OSError.
    """

    def __init__(self, endpoint: str, region: str, keys: Keys | None = None) -> None:
        self._endpoint = endpoint
        self._region = region
        self._keys = keys
        self._making = threading.Lock()

    def list(self, prefix: S3Uri) -> Iterator[ObjectInfo]:
        with self._naming(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
            for page in pages:
                for item in page.get("Contents", ()):
                    yield ObjectInfo(item["Key"], item["Size"])

    def read(self, uri: S3Uri) -> bytes:
        with self._naming(uri):
            body: bytes = self._client.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read()
            return body

    def fetch(self, uri: S3Uri, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{uuid.uuid4().hex}.part")
        try:
            with self._naming(uri):
                self._download(uri, draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def put(self, path: Path, uri: S3Uri) -> None:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is not a file")
        try:
            self._upload(path, uri)
        except NotFound:
            self._make_bucket(uri)
            self._upload(path, uri)

    def folder(self, prefix: S3Uri) -> Path | None:
        return None

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401
        # Imported at first use: it costs a quarter of a second and 40 MB that an idle service does without.
        import boto3
        from botocore.config import Config

        config = Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 4},
            max_pool_connections=32,
            # rclone gives the whole object's checksum with a part of it.
            response_checksum_validation="when_required",
            request_checksum_calculation="when_required",
            s3={"addressing_style": "path" if self._endpoint else "auto"},
        )
        key, secret = (self._keys.access_key, self._keys.secret_key) if self._keys else (None, None)
        session = boto3.session.Session(key, secret, region_name=self._region)
        # Always explicit: AWS_ENDPOINT_URL in the caller's environment may well be this very service.
        endpoint = self._endpoint or f"https://s3.{self._region}.amazonaws.com"
        return session.client("s3", endpoint_url=endpoint, config=config)

    def _download(self, uri: S3Uri, draft: Path) -> None:
        answer = self._client.get_object(Bucket=uri.bucket, Key=uri.key)
        if answer["ContentLength"] >= _PIECES_FROM_BYTES:
            answer["Body"].close()
            self._client.download_file(uri.bucket, uri.key, str(draft))
            return
        with draft.open("wb") as file:
            shutil.copyfileobj(answer["Body"], file, 2**20)

    def _upload(self, path: Path, uri: S3Uri) -> None:
        with self._naming(uri):
            self._client.upload_file(str(path), uri.bucket, uri.key)

    def _make_bucket(self, uri: S3Uri) -> None:
        where = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        with self._making, self._naming(uri):
            try:
                self._client.create_bucket(Bucket=uri.bucket, **({} if self._region == "us-east-1" else where))
            except (self._client.exceptions.BucketAlreadyOwnedByYou, self._client.exceptions.BucketAlreadyExists):
                # Made by another thread in the meantime.
                return

    @contextmanager
    def _naming(self, uri: S3Uri) -> Iterator[None]:
        """What boto3 raises, as ours, with the address in it."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ClientError as error:
            raise _translated(error, uri) from error
        except Boto3Error as error:
            cause = error.__context__
            raise _translated(cause, uri) if isinstance(cause, ClientError) else _failed(uri, error) from error
        except (BotoCoreError, HTTPError) as error:
            raise _failed(uri, error) from error


def _failed(uri: S3Uri, error: BaseException) -> ObjectStoreError:
    return ObjectStoreError(f"{uri}: {error}")


def _translated(error: ClientError, uri: S3Uri) -> NotFound | ObjectStoreError:
    about = error.response.get("Error", {})
    code = str(about.get("Code", ""))
    if code == "NoSuchBucket":
        return NotFound(f"{uri}: there is no bucket {uri.bucket}")
    if code in _MISSING:
        return NotFound(f"{uri}: there is no such object")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = ObjectStoreRefusal if 400 <= status < 500 and status not in _LATER else ObjectStoreError
    return kind(f"{uri}: {code} {about.get('Message', '')}".rstrip())
