"""The hook of the process."""

from sagehound.debug.singleton import del_hook, get_hook, set_hook

__all__ = ["del_hook", "get_hook", "set_hook"]
