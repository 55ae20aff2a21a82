"""How soon a channel of photos is ready for a job: a folder of the embedded store against a download of the same.

    python benchmarks/channel.py [--photos 3068] [--size-kb 40] [--data FOLDER]

Side by side in one run: what a job gets from the embedded store (bound, not copied), the parallel download that any
other S3 gets, a plain boto3 loop, and `aws s3 cp --recursive`. Prints a table and a JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sagehound.control.staging import Staging
from sagehound.keys import load_keys
from sagehound.names import S3Uri
from sagehound.objects.embedded import EmbeddedObjects
from sagehound.objects.s3 import S3Objects
from sagehound.objects.server import EmbeddedServer
from sagehound.objects.store import ObjectStore
from sagehound.records.training import Channel, TrainingSpec
from sagehound.settings import Settings

_URI = S3Uri("photos", "train")
_TARGET_S = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=3068)
    parser.add_argument("--size-kb", type=int, default=40)
    parser.add_argument("--data", type=Path, help="a folder of your own instead")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sagehound-channel-") as folder:
        home = Path(folder)
        settings, keys = Settings(home=home), load_keys(home)
        photos = settings.s3_folder / _URI.bucket / _URI.key
        _fill(photos, given)
        server = EmbeddedServer(settings, keys)
        remote = S3Objects(server.start(), settings.region, keys)
        try:
            report(_measure(home, remote, EmbeddedObjects(settings.s3_folder, remote), server.endpoint), photos)
        finally:
            server.stop()


def report(times: dict[str, float], photos: Path) -> None:
    sizes = [path.stat().st_size for path in photos.rglob("*") if path.is_file()]
    ready = times["folder of the embedded store"]
    print(f"{len(sizes)} photos, {sum(sizes) / 1e6:.0f} MB")
    for name, seconds in times.items():
        print(f"{name:32} {seconds:9.4f} s {seconds / ready:10.0f} x")
    print(
        json.dumps(
            {
                "benchmark": "channel",
                "photos": len(sizes),
                "megabytes": round(sum(sizes) / 1e6),
                "seconds": {name: round(value, 5) for name, value in times.items()},
                "ratio_to_folder": {name: round(value / ready, 1) for name, value in times.items()},
                "target_s": _TARGET_S,
                "met": ready < _TARGET_S,
            }
        )
    )


def _fill(photos: Path, given: argparse.Namespace) -> None:
    if given.data:
        shutil.copytree(given.data, photos)
        return
    source = random.Random(0)
    for number in range(given.photos):
        path = photos / f"class-{number % 6}" / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.randbytes(given.size_kb * 1024))


def _measure(home: Path, remote: S3Objects, embedded: EmbeddedObjects, endpoint: str) -> dict[str, float]:
    # Everything once before: imports, rclone's view of the folders, the pages in memory.
    _stage(remote, home / "warm")
    ready = min(_timed(lambda: _stage(embedded, home / "bound")) for _ in range(5))
    return {
        "folder of the embedded store": ready,
        "parallel download": _timed(lambda: _stage(remote, home / "parallel")),
        "boto3, one after the other": _timed(lambda: _one_by_one(remote, home / "loop")),
        "aws s3 cp --recursive": _timed(lambda: _aws(home, endpoint)),
    }


def _stage(objects: ObjectStore, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    spec = TrainingSpec(
        output_uri="s3://photos/out", instance_type="ml.m5.large", channels=(Channel(name="train", uri=str(_URI)),)
    )
    found = Staging(objects, folder, threading.Event(), lambda line: None).channels(spec, ["algo-1"])
    assert any(found["algo-1"]["train"].iterdir())


def _one_by_one(remote: S3Objects, folder: Path) -> None:
    for info in remote.list(_URI):
        remote.fetch(S3Uri(_URI.bucket, info.key), folder / info.key)


def _aws(home: Path, endpoint: str) -> None:
    keys = load_keys(home)
    environment = os.environ | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    }
    program = shutil.which("aws", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or "aws"
    command = [program, "s3", "cp", "--recursive", "--only-show-errors", str(_URI), str(home / "cli")]
    subprocess.run(command, env=environment, check=True)


def _timed(step: Callable[[], None]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
