"""A trial."""

from sagehound.debug.trial import Trial

__all__ = ["Trial"]
