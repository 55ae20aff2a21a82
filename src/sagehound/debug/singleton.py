"""The one hook of a process, as the original's functions give it."""

from __future__ import annotations

from sagehound.debug.hook import Hook
from sagehound.debug.recording.current import current_hook, set_current_hook
from sagehound.errors import DebuggerFileNotFoundError, DebuggerTypeError


def get_hook(json_config_path: str | None = None, create_if_not_exists: bool = False) -> Hook | None:
    """The hook that was made last. Where there is none and `create_if_not_exists`, one from the JSON configuration;
    None where there is no configuration either."""
    known: Hook | None = current_hook()
    if known is None and create_if_not_exists:
        try:
            return Hook.create_from_json_file(json_config_path)
        except DebuggerFileNotFoundError:
            return None
    return known


def set_hook(custom_hook: Hook) -> None:
    """Make a hook the one that `get_hook` gives."""
    if not isinstance(custom_hook, Hook):
        raise DebuggerTypeError(f"{custom_hook!r} is no Hook")
    set_current_hook(custom_hook)


def del_hook() -> None:
    """Forget it; it goes on saving until it is closed."""
    set_current_hook(None)
