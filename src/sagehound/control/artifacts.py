"""Storing what a job leaves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sagehound.names import S3Uri
from sagehound.objects.store import ObjectStore
from sagehound.objects.transfers import put_all
from sagehound.records.training import TrainingJob


def upload(objects: ObjectStore, job: TrainingJob, artifacts: Mapping[str, Path]) -> str:
    """Store the packed archives, or the folders where compression is off, under `<output>/<job>/output`.

    The model's address; empty where the job left none.
    """
    output = S3Uri.parse(job.spec.output_uri) / job.name / "output"
    model = ""
    for kind, path in artifacts.items():
        if path.is_dir():
            uri = output / kind
            put_all(objects, [(file, uri / file.relative_to(path).as_posix()) for file in _files(path)])
            address = f"{uri}/"
        else:
            address = str(output / path.name)
            objects.put(path, output / path.name)
        if kind == "model":
            model = address
    return model


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
