"""The SageMaker SDK sleeps 5 to 30 seconds between its questions, whatever the server does. Its tests do not."""

import time

_SHORTEST_S = 0.05


class ImpatientTime:
    """Python's time module for the SDK: a sleep takes 1/50 of what was asked, and the clock jumps the rest."""

    def __init__(self):
        self._skipped_s = 0.0

    def sleep(self, seconds):
        real = min(seconds, max(_SHORTEST_S, seconds / 50))
        time.sleep(real)
        self._skipped_s += seconds - real

    def time(self):
        return time.time() + self._skipped_s

    def __getattr__(self, name):
        return getattr(time, name)
