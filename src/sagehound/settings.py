"""Settings of one Sagehound home: where it lives, who it says it is, what it may use."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sagehound.errors import InvalidInput

DEFAULT_PORT = 8383
DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"


def default_home() -> Path:
    """`$SAGEHOUND_HOME`, or `~/.sagehound`."""
    return Path(os.environ.get("SAGEHOUND_HOME") or Path.home() / ".sagehound").absolute()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `sagehound up` was told.

    `port` 0 takes any free one. `s3_endpoint` names an S3 of the user's own; empty starts the embedded store.
    `max_hosts` is how many job instances run side by side (0: one a core, at least two).
    `fast_malloc` sets the C allocator so that training steps keep their buffers (ARCHITECTURE.md, "Allocator").
    `warm_start` forks jobs from a process that has imported what their scripts import (ARCHITECTURE.md, "Warm starts").
    `smtp` is the server through which a rule's Email action writes, as `smtp://user:password@host:port?from=address`
    (`smtps://` from the first byte encrypted); `webhook` is a URL that is sent every rule's first finding.
    """

    home: Path = field(default_factory=default_home)
    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    s3_endpoint: str = ""
    max_hosts: int = 0
    fast_malloc: bool = True
    warm_start: bool = True
    smtp: str = ""
    webhook: str = ""

    def __post_init__(self) -> None:
        if len(self.account) != 12 or not (self.account.isascii() and self.account.isdigit()):
            raise InvalidInput(f"account {self.account!r} must be 12 digits, e.g. 123456789012")
        _check_url(
            "--smtp", self.smtp, ("smtp", "smtps"), "smtp://user:password@mail.example.org:587?from=me@example.org"
        )
        _check_url("--webhook", self.webhook, ("http", "https"), "https://example.org/findings")

    @property
    def s3_folder(self) -> Path:
        """The embedded store's root: a bucket is a folder in it."""
        return self.home / "s3"

    @property
    def jobs_folder(self) -> Path:
        """One folder a training job, named after it."""
        return self.home / "jobs"

    @property
    def endpoints_folder(self) -> Path:
        """One folder an endpoint, named after it."""
        return self.home / "endpoints"

    @property
    def trash_folder(self) -> Path:
        """What jobs worked with, on its way out."""
        return self.home / "trash"

    @property
    def environments_folder(self) -> Path:
        """What a requirements.txt installed, one folder a content."""
        return self.home / "environments"

    @property
    def host_slots(self) -> int:
        """Job instances that may run side by side."""
        return self.max_hosts or max(2, os.cpu_count() or 1)


def _check_url(option: str, url: str, schemes: tuple[str, ...], example: str) -> None:
    parts = urlsplit(url)
    if url and (parts.scheme not in schemes or not parts.hostname):
        raise InvalidInput(f"{option} is no {' or '.join(schemes)} address; write it like {example}")
