"""Bringing a job's input to this machine: its channels and its code."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from sagehound.control.channel_objects import Item, items, missing
from sagehound.control.patience import DELAYS_S, Interrupted, persistently
from sagehound.errors import InvalidInput, JobFailure, NotFound
from sagehound.names import S3Uri
from sagehound.objects.store import ObjectStore
from sagehound.objects.transfers import fetch_all
from sagehound.records.training import Channel, TrainingSpec

T = TypeVar("T")
Channels = dict[str, dict[str, Path]]
_TENTH = 10


class Staging:
    """Puts what one job reads under `folder`. `stop` set from another thread ends the work as Interrupted; `say`
    writes a line into the job's log."""

    def __init__(
        self,
        objects: ObjectStore,
        folder: Path,
        stop: threading.Event,
        say: Callable[[str], None],
        delays_s: tuple[float, ...] = DELAYS_S,
    ) -> None:
        self._objects = objects
        self._folder = folder
        self._stop = stop
        self._say = say
        self._delays_s = delays_s

    def channels(self, spec: TrainingSpec, hosts: Sequence[str]) -> Channels:
        """The folder of each channel for each host; JobFailure, naming the address, where one cannot be had."""
        staged: Channels = {host: {} for host in hosts}
        for channel in spec.channels:
            folders = self._patiently(channel.uri, partial(self._channel, channel, hosts))
            for host, folder in folders.items():
                staged[host][channel.name] = folder
        return staged

    def code(self, spec: TrainingSpec) -> Path | None:
        """The script's archive as `sourcedir.tar.gz`, None where the job names none in S3."""
        uri = submit_directory(spec)
        if not uri.startswith("s3://"):
            return None
        archive = self._folder / "sourcedir.tar.gz"
        try:
            self._patiently(uri, lambda: self._objects.fetch(S3Uri.parse(uri), archive))
        except NotFound:
            raise JobFailure(
                f"ClientError: the code {uri} (sagemaker_submit_directory) does not exist; upload it again, or let the "
                "estimator do so with entry_point and source_dir"
            ) from None
        return archive

    def _patiently(self, uri: str, step: Callable[[], T]) -> T:
        try:
            return persistently(step, self._stop, self._say, self._delays_s)
        except InvalidInput as error:
            raise JobFailure(f"ClientError: {error}") from error
        except OSError as error:
            raise JobFailure(
                f"ClientError: Data download failed: {uri}: {_local_trouble(error, self._folder)}"
            ) from error

    def _channel(self, channel: Channel, hosts: Sequence[str]) -> dict[str, Path]:
        sharded = channel.distribution == "ShardedByS3Key" and len(hosts) > 1
        plain = channel.data_type == "S3Prefix"
        folder = self._objects.folder(S3Uri.parse(channel.uri)) if plain and not sharded else None
        if folder is not None:
            if next(iter(self._objects.list(S3Uri.parse(channel.uri))), None) is None:
                raise missing(channel)
            return dict.fromkeys(hosts, folder)
        found = items(self._objects, channel)
        if not sharded:
            shared = self._folder / "all" / channel.name
            self._bring(channel, found, shared)
            return dict.fromkeys(hosts, shared)
        shares = {host: found[number :: len(hosts)] for number, host in enumerate(hosts)}
        for host, share in shares.items():
            self._bring(channel, share, self._folder / host / channel.name)
        return {host: self._folder / host / channel.name for host in hosts}

    def _bring(self, channel: Channel, found: Sequence[Item], target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        left = [item for item in found if not self._linked(item, target / item.path)]
        self._check_room(channel, sum(item.size_bytes for item in left))
        if left:
            self._say(f"Downloading channel {channel.name}: {len(left)} objects from {channel.uri}")
            wanted = [(item.uri, item.size_bytes, target / item.path) for item in left]
            fetch_all(self._objects, wanted, self._teller(channel))

    def _linked(self, item: Item, path: Path) -> bool:
        """Whether the object could be had without a copy: a second name of the embedded store's own file."""
        if self._stop.is_set():
            raise Interrupted
        bucket = self._objects.folder(S3Uri(item.uri.bucket))
        if bucket is None or not (bucket / item.uri.key).is_file():
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with suppress(OSError):  # another file system: it is copied then
            os.link(bucket / item.uri.key, path, follow_symlinks=False)
            return True
        return False

    def _check_room(self, channel: Channel, needed_bytes: int) -> None:
        free = shutil.disk_usage(self._folder).free
        if needed_bytes > free:
            raise JobFailure(
                f"ClientError: Data download failed: channel {channel.name} ({channel.uri}) needs "
                f"{needed_bytes / 1e6:.0f} MB and {free / 1e6:.0f} MB are free in {self._folder}; free some"
            )

    def _teller(self, channel: Channel) -> Callable[[int, int], None]:
        said = 0

        def tell(done: int, in_all: int) -> None:
            nonlocal said
            if self._stop.is_set():
                raise Interrupted
            tenths = _TENTH * done // in_all if in_all else _TENTH
            if tenths > said:
                said = tenths
                share = f"{done / 1e6:.1f} of {in_all / 1e6:.1f} MB"
                self._say(f"Downloading channel {channel.name}: {10 * tenths} % ({share})")

        return tell


def submit_directory(spec: TrainingSpec) -> str:
    """Where the request says its code is; empty where it does not."""
    text = spec.hyperparameters.get("sagemaker_submit_directory") or spec.environment.get(
        "SAGEMAKER_SUBMIT_DIRECTORY", ""
    )
    with suppress(ValueError):  # SDK v3 does not quote it
        return str(json.loads(text))
    return text


def _local_trouble(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {folder} is full ({error.strerror}); free some space and start the job again"
    if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
        return f"an object has the name of a folder of others ({error.filename}); rename one of them"
    return str(error)
