"""The modes."""

from sagehound.debug.modes import ModeKeys
from sagehound.errors import DebuggerValueError

ALLOWED_MODES = list(ModeKeys)
ALLOWED_MODE_NAMES = [mode.name for mode in ModeKeys]


def str_to_mode_keys(mode_str: str) -> ModeKeys:
    """The mode of that name in small letters."""
    for mode in ModeKeys:
        if mode.name.lower() == mode_str:
            return mode
    raise DebuggerValueError(f"{mode_str!r} is no mode; there are {', '.join(ALLOWED_MODE_NAMES).lower()}")
