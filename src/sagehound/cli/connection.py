"""The CLI's own AWS clients: made as a user's are, with the home's keys."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagehound import daemon
from sagehound.address import Address
from sagehound.cli.console import home_of, progress
from sagehound.client import environment
from sagehound.keys import load_keys


@dataclass(frozen=True, slots=True)
class Connection:
    """The running service of a home, and clients of it."""

    home: Path
    address: Address

    def environment(self) -> dict[str, str]:
        """The variables that point a program at the service."""
        return environment(self.address, load_keys(self.home), self.home)

    def client(self, service: str, **options: Any) -> Any:  # noqa: ANN401
        """A boto3 client, e.g. of "sagemaker". From here on the command's process has the client environment."""
        import boto3

        os.environ.update(self.environment())
        return boto3.client(service, **options)


def connect(home: Path | None) -> Connection:
    """The running service; ServiceUnavailable, with what to do, where there is none."""
    folder = home_of(home)
    return Connection(folder, daemon.require(folder))


def connect_or_start(home: Path | None) -> tuple[Connection, bool]:
    """The running service, and whether it was started for this, which is then said."""
    folder = home_of(home)
    address = daemon.running(folder)
    if address is not None:
        return Connection(folder, address), False
    address = daemon.start(folder)
    progress(f"Sagehound started at {address.endpoint} (home {folder}); end it with: sagehound down")
    return Connection(folder, address), True


def pages(client: Any, operation: str, key: str, limit: int = 0, **request: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """The items of a paginated list; at most `limit` where that is not 0."""
    options = {"PaginationConfig": {"MaxItems": limit}} if limit else {}
    return [item for page in client.get_paginator(operation).paginate(**request, **options) for item in page[key]]
