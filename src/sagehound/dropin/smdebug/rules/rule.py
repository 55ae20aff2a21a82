"""The base class of rules."""

from sagehound.debug.judging.custom_rule import Rule

__all__ = ["Rule"]
