"""Rules of one's own."""

from sagehound.debug.custom_rule import RequiredTensors, Rule
from sagehound.debug.invocation import invoke_rule

__all__ = ["RequiredTensors", "Rule", "invoke_rule"]
