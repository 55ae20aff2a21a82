"""The hook."""

from sagehound.debug.hook import Hook

DEFAULT_INCLUDE_COLLECTIONS = ["losses"]

__all__ = ["DEFAULT_INCLUDE_COLLECTIONS", "Hook"]
