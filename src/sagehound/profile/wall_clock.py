"""From the process's own clock to the time of day."""

from __future__ import annotations

import time

#: The time of day was set anew, or the machine slept: more than the two clocks drift apart otherwise.
_JUMP_NS = 10**9


class WallClock:
    """Knows when `time.perf_counter_ns` began. Durations are that clock's; a time of day that was set anew counts from
    the next `renew` on, so that what is written then stands beside what the machine's sampler wrote."""

    def __init__(self) -> None:
        self._zero_ns = _zero()

    def renew(self) -> None:
        zero_ns = _zero()
        if abs(zero_ns - self._zero_ns) > _JUMP_NS:
            self._zero_ns = zero_ns

    def epoch_ns(self, counter_ns: int) -> int:
        """Nanoseconds since the epoch."""
        return self._zero_ns + counter_ns


def _zero() -> int:
    return time.time_ns() - time.perf_counter_ns()
