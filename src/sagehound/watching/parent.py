"""The process that started this one, which a process of rules does not outlive."""

from __future__ import annotations

import os


def orphaned(parent: int = os.getppid()) -> bool:
    """Whether the process that started this one is gone. Linux could send a signal instead, but when the *thread* that
    started it ends."""
    return os.getppid() != parent
