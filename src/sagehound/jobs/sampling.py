"""What the sampler of a job is told: a small file in the job's folder, which may change while the job runs."""

# ruff: noqa: PTH105, PTH123

from __future__ import annotations

import json
import os

FILE = "sampling.json"
#: Where the samples of a job's hosts go, in its folder: one folder a host.
FOLDER = "profiler"
DEFAULT_INTERVAL_MS = 500


def tell(folder: str, interval_ms: int) -> None:
    """Have the job in `folder` sampled every `interval_ms`; 0: not at all. Whole or not at all."""
    path, body = f"{folder}/{FILE}", json.dumps({"interval_ms": interval_ms})
    if _read(path) == body:
        return
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w") as file:
        file.write(body)
    os.replace(draft, path)


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


class Told:
    """The file as the sampler reads it: again only where it was replaced."""

    def __init__(self, folder: str) -> None:
        self._path = f"{folder}/{FILE}"
        self._version = (0, 0)
        self._interval_ms = 0

    def interval_s(self) -> float:
        """0 where nothing is to be sampled."""
        try:
            status = os.stat(self._path)  # noqa: PTH116
            version = (status.st_mtime_ns, status.st_ino)
            if version != self._version:
                with open(self._path) as file:
                    self._interval_ms = int(json.load(file)["interval_ms"])
                self._version = version
        except (OSError, ValueError, KeyError):
            self._interval_ms = 0
        return self._interval_ms / 1000
