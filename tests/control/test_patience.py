import threading

import pytest

from sagehound.control.patience import Interrupted, persistently
from sagehound.errors import JobFailure, NotFound, ObjectStoreError, ObjectStoreRefusal


class Flaky:
    """Fails so many times."""

    def __init__(self, failures: int) -> None:
        self.left = failures

    def __call__(self) -> str:
        self.left -= 1
        if self.left >= 0:
            raise ObjectStoreError("s3://b/key: out of reach")
        return "done"


def test_a_store_that_comes_back_is_waited_for_and_told_of_once():
    said: list[str] = []
    assert persistently(Flaky(3), threading.Event(), said.append, (0, 0, 0)) == "done"
    assert len(said) == 1 and "s3://b/key" in said[0]


def test_one_that_stays_away_fails_the_job_by_address():
    with pytest.raises(JobFailure, match="s3://b/key: out of reach"):
        persistently(Flaky(4), threading.Event(), print, (0, 0, 0))


def test_what_does_not_exist_is_not_waited_for():
    def step() -> None:
        raise NotFound("s3://b/key")

    with pytest.raises(NotFound):
        persistently(step, threading.Event(), print, (60,))


def test_a_stop_ends_the_waiting():
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        persistently(Flaky(1), stop, print, (60,))


def test_a_refusal_is_not_waited_for():
    def step() -> None:
        raise ObjectStoreRefusal("s3://b/key: AccessDenied")

    with pytest.raises(JobFailure, match="refuses: s3://b/key: AccessDenied"):
        persistently(step, threading.Event(), print, (60,))
