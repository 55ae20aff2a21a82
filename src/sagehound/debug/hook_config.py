"""A hook's configuration: what the constructor takes, and the JSON file that a training job finds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sagehound.debug.collection import Collection
from sagehound.debug.collections import Collections
from sagehound.debug.reduction_config import ReductionConfig
from sagehound.debug.save_config import SaveConfig

CONFIG_FILE = "/opt/ml/input/config/debughookconfig.json"
CONFIG_FILE_VARIABLE = "SMDEBUG_CONFIG_FILE_PATH"


@dataclass(frozen=True)
class HookConfig:
    """Everything that a hook is told. `collections` are those configured by a JSON file, to be merged into the built-in
    ones: `hook_collections` does that. `include_collections` is None where nothing was said (losses alone)."""

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

    @classmethod
    def from_json_file(cls, path: str | os.PathLike[str] | None = None) -> HookConfig:
        """From a file; where no path is given, from the one that SMDEBUG_CONFIG_FILE_PATH names, or the one that a
        training job has. A FileNotFoundError where there is none."""
        raise NotImplementedError

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> HookConfig:
        """From the document that such a file holds."""
        raise NotImplementedError

    def hook_collections(self) -> Collections:
        """The built-in collections and the configured ones, with `include_regex` in `default`."""
        raise NotImplementedError

    def included(self) -> tuple[str, ...]:
        """What to give to `Collections.select`."""
        raise NotImplementedError


def config_file(path: str | os.PathLike[str] | None = None) -> Path:
    """Where the configuration is: `path`, or what the environment says, or a training job's own."""
    return Path(path or os.environ.get(CONFIG_FILE_VARIABLE) or CONFIG_FILE)
