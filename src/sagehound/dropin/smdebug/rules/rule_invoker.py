"""Running a rule."""

from sagehound.debug.invocation import invoke_rule

__all__ = ["invoke_rule"]
