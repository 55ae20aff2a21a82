"""What the hooks note while a training runs, before anybody has made sense of it.

A mark is a tuple (kind, start, end, more) with times of `time.perf_counter_ns`. They go into a deque of bounded length:
appending is one atomic step in CPython, so no hook ever waits, and a writer that cannot keep up loses the oldest.
"""

from __future__ import annotations

from collections import deque
from typing import Any

Mark = tuple[str, int, int, Any]
Marks = deque[Mark]

#: A step begins at `start`; `more` is the mode that the user said it has, or None.
BEGIN = "begin"
#: The loop over the data came to its end at `start`.
END = "end"
#: Phases: `more` is the mode for a forward, a window's name and first step.
LOADER, COPY, FORWARD, BACKWARD, OPTIMIZER = "loader", "copy", "forward", "backward", "optimizer"
WINDOW = "window"

#: At ten marks a step this is a second of the fastest training there is.
ROOM = 1 << 17


def new_marks() -> Marks:
    return deque(maxlen=ROOM)
