"""A hook's configuration: what the constructor takes, and the JSON file that a training job finds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from sagehound.debug.config.collection import Collection, CollectionKeys, compiled
from sagehound.debug.config.collections import Collections
from sagehound.debug.config.parameters import (
    SHARED,
    Steps,
    check_names,
    reduction_config,
    regexes,
    save_config,
    steps_of,
)
from sagehound.debug.config.reduction_config import ReductionConfig, truth
from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.modes import ModeKeys
from sagehound.errors import DebuggerFileNotFoundError, DebuggerTypeError, DebuggerValueError

CONFIG_FILE = "/opt/ml/input/config/debughookconfig.json"
CONFIG_FILE_VARIABLE = "SMDEBUG_CONFIG_FILE_PATH"
TENSORBOARD_FILE = "/opt/ml/input/config/tensorboardoutputconfig.json"
TENSORBOARD_FILE_VARIABLE = "TENSORBOARD_CONFIG_FILE_PATH"

#: What HookParameters can have beside `parameters.SHARED`; `step` is not the original's.
HOOK_ONLY = ("save_all", "include_workers", "export_tensorboard", "tensorboard_dir", "dry_run", "step")
_CHOICES = {"include_workers": ("one", "all"), "step": ("forward", "optimizer")}


@dataclass(frozen=True)
class HookConfig:
    """Everything that a hook is told. `collections` are those that a JSON file configures; `hook_collections` merges
    them into the built-in ones. Losses are saved whatever `include_collections` says.

    The document is what an SDK's DebuggerHookConfig becomes in a job. All values are text:

    >>> config = HookConfig.from_document({
    ...     "LocalPath": "/opt/ml/output/tensors",
    ...     "HookParameters": {"train.save_interval": "10", "eval.save_interval": "5"},
    ...     "CollectionConfigurations": [
    ...         {"CollectionName": "weights"},
    ...         {"CollectionName": "relus", "CollectionParameters": {
    ...             "include_regex": "relu_output", "save_interval": "20", "reductions": "mean,abs_max"}},
    ...     ],
    ... })
    >>> config.out_dir, config.include_collections
    ('/opt/ml/output/tensors', ('weights', 'relus'))
    >>> collections = config.hook_collections()
    >>> [one.name for one in collections.select(config.included(), config.save_config, config.reduction_config)]
    ['weights', 'losses', 'relus']
    >>> [one.due(ModeKeys.EVAL, 5) for one in collections.of("fc.weight")]  # as the hook's parameters say
    [True]
    >>> relus, = collections.of("relu_output_0")
    >>> relus.due(ModeKeys.EVAL, 5), relus.due(ModeKeys.EVAL, 20), relus.reduction_config.names
    (False, True, ('mean', 'abs_max'))
    """

    out_dir: str | None = None
    export_tensorboard: bool = False
    tensorboard_dir: str | None = None
    dry_run: bool = False
    reduction_config: ReductionConfig | None = None
    save_config: SaveConfig = field(default_factory=SaveConfig)
    include_regex: tuple[str, ...] = ()
    include_collections: tuple[str, ...] = ()
    collections: tuple[Collection, ...] = ()
    save_all: bool = False
    include_workers: Literal["one", "all"] = "one"
    step: Literal["forward", "optimizer"] = "forward"
    save_histogram: bool = True

    @classmethod
    def from_arguments(
        cls,
        *,
        save_config: object = None,
        include_regex: Iterable[str] | str | None = None,
        include_collections: Iterable[Any] | str | None = None,
        reduction_config: object = None,
        include_workers: str = "one",
        step: str = "forward",
        **rest: Any,  # noqa: ANN401 (the fields that need no reading: paths and flags)
    ) -> HookConfig:
        """From the arguments of `Hook(...)`, in all the shapes that the original takes them."""
        if not (reduction_config is None or isinstance(reduction_config, ReductionConfig)):
            raise DebuggerTypeError(f"reduction_config {reduction_config!r} is no ReductionConfig")
        regexes = tuple(_flat(include_regex))
        for regex in regexes:
            compiled(regex, "the hook")
        return cls(
            save_config=SaveConfig.parse(save_config),
            include_regex=regexes,
            include_collections=tuple(_flat(include_collections)),
            reduction_config=reduction_config,
            include_workers=cast("Literal['one', 'all']", _choice("include_workers", include_workers)),
            step=cast("Literal['forward', 'optimizer']", _choice("step", step)),
            **rest,
        )

    @classmethod
    def from_json_file(cls, path: str | os.PathLike[str] | None = None) -> HookConfig:
        """From a file; where no path is given, from the one that SMDEBUG_CONFIG_FILE_PATH names, or the one that a
        training job has. DebuggerFileNotFoundError where there is none, DebuggerValueError where it says nothing
        that can be done."""
        file = config_file(path)
        with _within(str(file)):
            return cls.from_document(_document(file))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> HookConfig:
        """From the document that such a file holds."""
        params = _table(document, "HookParameters")
        with _within("HookParameters"):
            check_names(params, (*SHARED, *HOOK_ONLY))
            steps = steps_of(params)
            directory = _tensorboard_directory() or params.get("tensorboard_dir")
            config = cls.from_arguments(
                out_dir=document.get("LocalPath") or _default_out_dir(),
                export_tensorboard=bool(directory) or truth("export_tensorboard", params.get("export_tensorboard", "")),
                tensorboard_dir=directory,
                dry_run=truth("dry_run", params.get("dry_run", "")),
                reduction_config=reduction_config(params),
                save_config=save_config(steps),
                include_regex=regexes(params),
                save_all=truth("save_all", params.get("save_all", "")),
                include_workers=params.get("include_workers") or "one",
                step=params.get("step") or "forward",
                save_histogram=truth("save_histogram", params.get("save_histogram", True)),
            )
        collections = tuple(_collections(document.get("CollectionConfigurations"), steps))
        names = tuple(dict.fromkeys(collection.name for collection in collections))
        return replace(config, collections=collections, include_collections=names)

    def hook_collections(self) -> Collections:
        """The built-in collections with what is configured put into them, and `include_regex` in `default`.

        The SDK sends a collection twice where a rule and the user ask for it with different intervals, in no certain
        order: both get the steps that they ask for.
        """
        collections, seen = Collections(), set[str]()
        for configured in self.collections:
            known = collections.get(configured.name)
            known.include(*configured.include_regex)
            asked = configured.save_config
            if configured.name in seen and known.save_config and asked:
                asked = known.save_config.either(asked)
            known.save_config = asked
            seen.add(configured.name)
            known.reduction_config = configured.reduction_config or known.reduction_config
            known.save_histogram = configured.save_histogram
        collections.get(CollectionKeys.DEFAULT).include(*self.include_regex)
        if not self.save_histogram:
            for collection in collections.all():
                collection.save_histogram = False
        return collections

    def included(self) -> tuple[str, ...]:
        """The names to give to `Collections.select` and `Collections.problems`."""
        implied = {CollectionKeys.DEFAULT: bool(self.include_regex), CollectionKeys.ALL: self.save_all}
        return (*self.include_collections, *(name for name, wanted in implied.items() if wanted))


def config_file(path: str | os.PathLike[str] | None = None) -> Path:
    """Where the configuration is: `path`, or what the environment says, or a training job's own."""
    return Path(path or os.environ.get(CONFIG_FILE_VARIABLE) or CONFIG_FILE)


def _document(file: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (FileNotFoundError, NotADirectoryError):
        raise DebuggerFileNotFoundError(
            f"there is no such file: give the path of a debugger's configuration, or set {CONFIG_FILE_VARIABLE}; "
            "a training job has one when its request has a DebugHookConfig"
        ) from None
    except (msgspec.DecodeError, OSError) as error:
        raise DebuggerValueError(f"it cannot be read as a JSON object: {error}") from None


def _default_out_dir() -> str:
    return str(Path(os.environ.get("SM_OUTPUT_DIR") or "/opt/ml/output") / "tensors")


def _tensorboard_directory() -> str | None:
    """Where a job's TensorBoardOutputConfig wants the events: what is written elsewhere is not uploaded."""
    file = Path(os.environ.get(TENSORBOARD_FILE_VARIABLE) or TENSORBOARD_FILE)
    if not file.is_file():
        return None
    with _within(str(file)):
        return str(_document(file).get("LocalPath") or "/opt/ml/output/tensorboard")


def _collections(entries: object, hook_steps: Mapping[ModeKeys, Steps]) -> Iterator[Collection]:
    if not isinstance(entries, (list, tuple, type(None))):
        raise DebuggerValueError("CollectionConfigurations is no list of {CollectionName, CollectionParameters}")
    for entry in entries or ():
        name = entry.get("CollectionName") if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or not name:
            raise DebuggerValueError(f"CollectionConfigurations has {entry!r}, which has no CollectionName")
        params = _table(entry, "CollectionParameters")
        with _within(f"CollectionParameters of {name!r}"):
            check_names(params, SHARED)
            yield Collection(
                name,
                regexes(params),
                reduction_config=reduction_config(params),
                save_config=save_config(steps_of(params, hook_steps)),
                save_histogram=truth("save_histogram", params.get("save_histogram", True)),
            )


def _table(owner: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    params = owner.get(name)
    if not isinstance(params, (Mapping, type(None))):
        raise DebuggerValueError(f"{name} is {params!r}; it is a table of parameters and their values, as text")
    return params or {}


def _choice(name: str, value: object) -> str:
    if not isinstance(value, str) or value not in _CHOICES[name]:
        raise DebuggerValueError(f"{name} {value!r} is not allowed; there are {', '.join(_CHOICES[name])}")
    return value


def _flat(names: Iterable[Any] | str | None) -> Iterator[str]:
    """One text, or lists of texts within lists, in order."""
    if isinstance(names, str):
        yield names
        return
    for name in names or ():
        yield from _flat(name)


@contextmanager
def _within(where: str) -> Iterator[None]:
    """Say in an error where the value stands."""
    try:
        yield
    except (DebuggerValueError, DebuggerTypeError, DebuggerFileNotFoundError) as error:
        raise type(error)(f"{where}: {error}") from None
