"""Waiting for what real processes do, with a deadline."""

import time


def eventually(check, deadline_s=60.0):
    """The first true value of `check()`; AssertionError with its last value after `deadline_s` seconds."""
    end = time.monotonic() + deadline_s
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < end, f"not within {deadline_s} s; last: {value!r}"
        time.sleep(0.05)
