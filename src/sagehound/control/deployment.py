"""What an endpoint serves, on disk: the models of one configuration unpacked, and all that starting them again needs.

`<endpoint's folder>/deployment.json` names the deployment in service; `<endpoint's folder>/<number>` holds its files:
`<variant>/model`, `<variant>/code`. So an endpoint goes on, and comes back after a restart of the service, whatever
became of the records and objects that it was made from.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sagehound.errors import InvalidInput, JobFailure, NotFound, ObjectStoreError
from sagehound.jobs.archives import unpack
from sagehound.jobs.environments import install
from sagehound.jobs.logs import LineWriter, log_path
from sagehound.names import S3Uri
from sagehound.objects.store import ObjectStore
from sagehound.records.serving import EndpointConfig, Model, Variant
from sagehound.store.store import Store

SUBMIT_DIRECTORY = "SAGEMAKER_SUBMIT_DIRECTORY"
_FILE = "deployment.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A variant with the environment of its model's container. `interpreter` is the Python that serves it."""

    variant: Variant
    environment: dict[str, str]
    interpreter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The variants of configuration `config`, placed in the folder `number` of the endpoint's folder."""

    config: str
    number: int
    variants: tuple[Placed, ...]


def load(folder: Path) -> Deployment | None:
    """The deployment in service of the endpoint in `folder`; None where there is none yet."""
    try:
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=Deployment)
    except FileNotFoundError:
        return None


def save(folder: Path, deployment: Deployment) -> None:
    """Make this the deployment in service, whole or not at all."""
    draft = folder / f".{_FILE}"
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(deployment))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _FILE)


def clear(folder: Path) -> None:
    """Remove all of an endpoint's files but its logs: they tell what became of it, after its end too, as on AWS."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix != ".log":
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # It has logs.
        folder.rmdir()


def discard_others(folder: Path, kept: Deployment | None) -> None:
    """Remove every deployment's files but those of `kept`."""
    for path in folder.iterdir():
        if path.name.isdigit() and (kept is None or path.name != str(kept.number)):
            shutil.rmtree(path, ignore_errors=True)


def next_number(folder: Path) -> int:
    return max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0) + 1


class Stager:
    """Brings the models of a configuration onto this machine. Blocks: call it in a thread."""

    def __init__(self, store: Store, objects: ObjectStore, environments_folder: Path) -> None:
        self._store = store
        self._objects = objects
        self._environments_folder = environments_folder

    def stage(self, folder: Path, config_name: str) -> Deployment:
        """Fetch and unpack what configuration `config_name` needs into a new numbered folder of `folder`, and install
        its models' requirements.

        JobFailure says what is missing or damaged; then nothing is left.
        """
        folder.mkdir(parents=True, exist_ok=True)
        number = next_number(folder)
        place = folder / str(number)
        place.mkdir()
        try:
            config = self._store.get(EndpointConfig, config_name)
            variants = tuple(self._place(variant, place / variant.name) for variant in config.variants)
        except (NotFound, InvalidInput, ObjectStoreError) as error:
            shutil.rmtree(place, ignore_errors=True)
            raise JobFailure(str(error)) from error
        except OSError as error:
            shutil.rmtree(place, ignore_errors=True)
            raise JobFailure(f"the model could not be written to {place}: {error.strerror or error}") from error
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return Deployment(config=config_name, number=number, variants=variants)

    def _place(self, variant: Variant, place: Path) -> Placed:
        model = self._store.get(Model, variant.model)
        self._fetch_model(model, place)
        environment = dict(model.environment)
        submitted = environment.get(SUBMIT_DIRECTORY, "")
        if submitted.startswith("s3://"):
            self._fetch_archive(S3Uri.parse(submitted), place / "code")
            environment[SUBMIT_DIRECTORY] = "/opt/ml/code"
        return Placed(variant=variant, environment=environment, interpreter=self._interpreter(variant, place))

    def _interpreter(self, variant: Variant, place: Path) -> str:
        """The Python that has what the model's requirements.txt asks for; empty where it asks for nothing."""
        requirements = _requirements(place)
        if requirements is None:
            return ""
        log = LineWriter(log_path(place.parent.parent, f"{variant.name}-1"))
        try:
            return str(install(requirements, self._environments_folder, log) / "bin" / "python")
        finally:
            log.close()

    def _fetch_model(self, model: Model, place: Path) -> None:
        target = place / "model"
        if not model.data_uri:
            target.mkdir(parents=True)
            return
        uri = S3Uri.parse(model.data_uri)
        if not uri.key.endswith("/"):
            self._fetch_archive(uri, target)
            return
        # An uncompressed model is a prefix: every object under it is a file of the model.
        found = list(self._objects.list(uri))
        if not found:
            raise NotFound(f"there is no object under {uri}, the data of model {model.name}")
        for info in found:
            relative = info.key[len(uri.key) :]
            if relative and not relative.endswith("/"):
                self._objects.fetch(S3Uri(uri.bucket, info.key), _inside(target, relative))

    def _fetch_archive(self, uri: S3Uri, target: Path) -> None:
        archive = target.with_name(f"{target.name}.tar.gz")
        self._objects.fetch(uri, archive)
        try:
            unpack(archive, target)
        except InvalidInput as error:
            raise InvalidInput(f"{uri}: {error}") from error
        finally:
            archive.unlink(missing_ok=True)


def _inside(folder: Path, relative: str) -> Path:
    path = Path(os.path.normpath(folder / relative))
    if not path.is_relative_to(folder):
        raise InvalidInput(f"the object {relative!r} of the model leaves the model's folder; rename it")
    return path


def _requirements(place: Path) -> Path | None:
    candidates = (place / "code" / "requirements.txt", place / "model" / "code" / "requirements.txt")
    return next((path for path in candidates if path.is_file()), None)
