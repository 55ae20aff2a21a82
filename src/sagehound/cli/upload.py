"""Files to S3, as a program that is in a hurry sends them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sagehound.errors import NotFound
from sagehound.names import S3Uri

_SIDE_BY_SIDE = 8
_LEFT_OUT = {"__pycache__", ".git", ".venv", ".ipynb_checkpoints"}


def upload(folder: Path, bucket: str) -> tuple[str, int]:
    """Upload every file under `folder`, and return their address and number. Other files, or another folder of that
    name, get another address: nothing that was there before is among them. The SDK's `upload_data` sends them one by
    one. The service's own variables are in the environment by then."""
    import boto3
    from botocore.config import Config

    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not files:
        raise NotFound(f"{folder} has no files; name a folder with a folder of photos for each class")
    channel = S3Uri(bucket, f"datasets/{folder.resolve().name}-{_version(folder, files)}")
    s3 = boto3.client("s3", config=Config(max_pool_connections=_SIDE_BY_SIDE))

    def send(path: Path) -> None:
        key = f"{channel.key}/{path.relative_to(folder).as_posix()}"
        s3.put_object(Bucket=channel.bucket, Key=key, Body=path.read_bytes())

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for _ in pool.map(send, files):
            pass
    return str(channel), len(files)


def _version(folder: Path, files: Sequence[Path]) -> str:
    """Changes with the files' names, sizes and times."""
    digest = hashlib.sha256()
    for path in files:
        status = path.stat()
        digest.update(
            f"{path.relative_to(folder)}\0{status.st_size} {status.st_mtime_ns}\0".encode(errors="surrogateescape")
        )
    return digest.hexdigest()[:8]


def make_bucket(bucket: str, s3: Any) -> None:  # noqa: ANN401
    """Make the bucket where there is none; the SDK's session does the same with its default one."""
    try:
        s3.head_bucket(Bucket=bucket)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        s3.create_bucket(Bucket=bucket)


def upload_code(script: Path, source: Path | None, place: S3Uri, s3: Any) -> str:  # noqa: ANN401
    """Put the script, or the whole folder that it belongs to, at `place` as a sourcedir.tar.gz; its address."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        if source is None:
            tar.add(script, script.name)
        else:
            tar.add(source, ".", filter=lambda each: None if Path(each.name).name in _LEFT_OUT else each)
    archive = place / "sourcedir.tar.gz"
    s3.put_object(Bucket=archive.bucket, Key=archive.key, Body=packed.getvalue())
    return str(archive)
