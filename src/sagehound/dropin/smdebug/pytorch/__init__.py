"""`import smdebug.pytorch as smd`: the hook and what it is told. What only reads trials does without torch."""

from typing import TYPE_CHECKING

import sagehound.debug
from sagehound.debug.config.collection import Collection, CollectionKeys
from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode
from sagehound.debug.create_trial import create_trial
from sagehound.debug.modes import modes

if TYPE_CHECKING:
    from sagehound.debug.hook import Hook
    from sagehound.debug.singleton import del_hook, get_hook, set_hook

__all__ = [
    "Collection",
    "CollectionKeys",
    "Hook",
    "ReductionConfig",
    "SaveConfig",
    "SaveConfigMode",
    "create_trial",
    "del_hook",
    "get_hook",
    "modes",
    "set_hook",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(sagehound.debug, name)
