"""The base class of rules."""

from sagehound.debug.custom_rule import Rule

__all__ = ["Rule"]
