"""What a rule asks for."""

from sagehound.debug.judging.custom_rule import RequiredTensors

__all__ = ["RequiredTensors"]
