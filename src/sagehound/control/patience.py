"""Waiting for an object store that is out of reach for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from sagehound.errors import JobFailure, ObjectStoreError, ObjectStoreRefusal

T = TypeVar("T")

#: Between one try and the next, in seconds: about a minute in all, in which a store that died is up again.
DELAYS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


class Interrupted(Exception):
    """The job is to stop: what it was waiting for no longer matters."""


def persistently(
    step: Callable[[], T], stop: threading.Event, say: Callable[[str], None], delays_s: tuple[float, ...] = DELAYS_S
) -> T:
    """What `step` returns, tried again after each ObjectStoreError; JobFailure where the last try fails as well, and
    at once where the store refuses.

    `stop` ends the waiting as Interrupted. `say` is told of the trouble once.
    """
    for number, delay_s in enumerate(delays_s):
        try:
            return step()
        except ObjectStoreRefusal as error:
            raise JobFailure(f"ClientError: the object store refuses: {error}") from error
        except ObjectStoreError as error:
            if number == 0:
                say(f"the object store does not answer as it should ({error}); trying again for {sum(delays_s):.0f} s")
        if stop.wait(delay_s):
            raise Interrupted
    try:
        return step()
    except ObjectStoreError as error:
        raise JobFailure(
            f"ClientError: the object store failed {len(delays_s) + 1} times in {sum(delays_s):.0f} s: {error}"
        ) from error
