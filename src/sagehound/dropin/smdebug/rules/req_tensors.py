"""What a rule asks for."""

from sagehound.debug.custom_rule import RequiredTensors

__all__ = ["RequiredTensors"]
