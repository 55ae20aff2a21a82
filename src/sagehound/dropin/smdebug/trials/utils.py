"""Opening a trial."""

from sagehound.debug.create_trial import create_trial

__all__ = ["create_trial"]
