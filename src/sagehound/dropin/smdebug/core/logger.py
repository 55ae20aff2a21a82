"""The debugger's logger."""

import logging


def get_logger(name: str = "sagehound.debug") -> logging.Logger:
    """The logger that the hook and the rules write to."""
    return logging.getLogger(name)
