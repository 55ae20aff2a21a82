"""The keeper between the shim and a script."""

import os
import signal
import sys

import pytest

from sagehound.jobs import keeper


@pytest.fixture
def handler():
    """A handler as the shim has one, which a forked process inherits."""
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, keeper.KILL])
def test_a_stop_that_comes_at_once_reaches_the_script(handler, number, tmp_path):
    argv = [sys.executable, "-ISc", "import time; time.sleep(60)"]
    for _ in range(10):
        pid, out, status = keeper.start(argv, {}, str(tmp_path), None)
        os.kill(pid, number)
        said = os.read(status, 64)
        os.waitpid(pid, 0)
        os.close(out)
        os.close(status)
        assert said in (b"-15", b"-9")
