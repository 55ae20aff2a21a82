"""Running a rule."""

from sagehound.debug.judging.invocation import invoke_rule

__all__ = ["invoke_rule"]
