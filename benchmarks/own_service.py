"""A service for one benchmark: no measurement, but what those that need one share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sagehound import daemon
from sagehound.keys import load_keys


@contextlib.contextmanager
def own_service(home: Path) -> Iterator[Any]:
    """A boto3 client of SageMaker for a service with the home `home`, which ends with the block."""
    import boto3

    address, keys = daemon.start(home, ["--port=0"]), load_keys(home)
    try:
        yield boto3.client(
            "sagemaker",
            endpoint_url=address.endpoint,
            region_name=address.region,
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
        )
    finally:
        daemon.stop(home)
