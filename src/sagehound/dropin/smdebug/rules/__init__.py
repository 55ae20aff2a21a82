"""Rules of one's own."""

from sagehound.debug.judging.custom_rule import RequiredTensors, Rule
from sagehound.debug.judging.invocation import invoke_rule

__all__ = ["RequiredTensors", "Rule", "invoke_rule"]
