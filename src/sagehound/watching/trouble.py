"""What the hook and the profiler say when something in them fails: they never stop a training, and are never silent."""

from __future__ import annotations

import sys


def cause_of(error: BaseException) -> str:
    """One line: the message, or the class where there is none.

    >>> cause_of(OSError(28, "No space left on device")), cause_of(ValueError())
    ('[Errno 28] No space left on device', 'ValueError')
    """
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def say(part: str, text: str) -> None:
    """One line on stderr, of the part of Sagehound that is named."""
    print(f"sagehound.{part}: {text}", file=sys.stderr, flush=True)
