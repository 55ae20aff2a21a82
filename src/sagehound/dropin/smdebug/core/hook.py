"""The hook, by the names of its base classes in the original."""

from sagehound.debug.hook import Hook as BaseHook
from sagehound.debug.hook import Hook as CallbackHook

__all__ = ["BaseHook", "CallbackHook"]
