"""What the hook says when something in it fails: it never stops a training, and it is never silent."""

from __future__ import annotations

import sys


def cause_of(error: BaseException) -> str:
    """One line: the message, or the class where there is none.

    >>> cause_of(OSError(28, "No space left on device")), cause_of(ValueError())
    ('[Errno 28] No space left on device', 'ValueError')
    """
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def say(text: str) -> None:
    """One line on stderr."""
    print(f"sagehound.debug: {text}", file=sys.stderr, flush=True)
