"""The embedded object store: rclone, started and kept alive by the service."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from sagehound.errors import ServiceUnavailable
from sagehound.keys import Keys
from sagehound.objects import rclone
from sagehound.settings import Settings

_START_S = 15.0
_CHECK_S = 10.0
_MISSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One rclone process as its starter wrote it down. `born` tells it from a later process with the same number."""

    pid: int
    port: int
    born: str
    command: list[str]
    access_key: str


class EmbeddedServer:
    """`rclone serve s3` over `settings.s3_folder`.

    It outlives a service that is killed, so that running jobs keep their object store; the next service takes it
    over, or ends it and starts another where it does not answer or was started differently.
    """

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys
        self._state = settings.home / "rclone.json"
        self._log = settings.home / "rclone.log"
        self._running: Running | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The URL at which clients on this machine reach it."""
        if self._running is None:
            raise ServiceUnavailable("the object store was not started; start the service with: sagehound up")
        return f"http://{_reachable(self._settings.host)}:{self._running.port}"

    @property
    def pid(self) -> int:
        """The process's number, 0 where none runs."""
        return self._running.pid if self._running else 0

    def start(self) -> str:
        """Take over the rclone that an earlier service left, or start one; its URL, once it answers."""
        self._settings.s3_folder.mkdir(parents=True, exist_ok=True)
        left = self._left_behind()
        if left is not None and self._fits(left) and self._answers(left.port):
            self._running = left
            return self.endpoint
        if left is not None:
            _end(left, None)
        self._launch(left.port if left else 0)
        return self.endpoint

    async def supervise(self) -> None:
        """Start it again, on the same port, whenever it dies or no longer answers. Runs until cancelled."""
        misses = 0
        while True:
            died = await self._died_within(_CHECK_S)
            misses = 0 if not died and await asyncio.to_thread(self._answers, self._port) else misses + 1
            if died or misses >= _MISSES:
                await asyncio.to_thread(self._restart)
                misses = 0

    def stop(self) -> None:
        """End it. Does nothing where it does not run."""
        if self._running is not None:
            _end(self._running, self._child)
        self._state.unlink(missing_ok=True)
        self._running = self._child = None

    @property
    def _port(self) -> int:
        return self._running.port if self._running else 0

    def _restart(self) -> None:
        port = self._port
        if self._running is not None:
            _end(self._running, self._child)
        try:
            self._launch(port)
        except ServiceUnavailable as error:
            print(f"sagehound: {error}; trying again in {_CHECK_S:g} s", file=sys.stderr, flush=True)

    def _launch(self, wanted_port: int) -> None:
        for attempt in range(3):
            port = wanted_port if wanted_port and attempt < 2 else _free_port(self._settings.host)
            if self._try(port):
                return
        raise ServiceUnavailable(f"the object store did not start; rclone said:\n{_tail(self._log)}")

    def _try(self, port: int) -> bool:
        command = self._command(port)
        with self._log.open("wb") as log:
            child = subprocess.Popen(
                command,
                env=rclone.environment(self._keys, os.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Its own session: Ctrl-C at `sagehound up` must not end it before the jobs' results are stored.
                start_new_session=True,
            )
        self._child = child
        self._running = Running(
            pid=child.pid, port=port, born=_born(child.pid), command=command, access_key=self._keys.access_key
        )
        draft = self._state.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(asdict(self._running)))
        draft.replace(self._state)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and child.poll() is None:
            if self._answers(port):
                return True
            time.sleep(0.02)
        _end(self._running, child)
        return False

    def _command(self, port: int) -> list[str]:
        return rclone.command(rclone.binary(), self._settings.s3_folder, self._settings.host, port)

    def _fits(self, left: Running) -> bool:
        return left.command == self._command(left.port) and left.access_key == self._keys.access_key

    def _left_behind(self) -> Running | None:
        try:
            left = Running(**json.loads(self._state.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            # Torn by a power cut: no process of before it is alive.
            return None
        return left if _born(left.pid) == left.born else None

    def _answers(self, port: int) -> bool:
        connection = http.client.HTTPConnection(_reachable(self._settings.host), port, timeout=5)
        try:
            connection.request("GET", "/")
            # An unsigned request is refused by an S3 server (400 or 403): it answers, and it asks for keys.
            return connection.getresponse().status in (400, 403)
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    async def _died_within(self, limit_s: float) -> bool:
        """Whether the process ended while this waited; the wait costs nothing where the kernel tells of the end."""
        pid = self.pid
        loop = asyncio.get_running_loop()
        try:
            watch = os.pidfd_open(pid)
        except (AttributeError, OSError):
            await asyncio.sleep(1.0 if self._alive() else 0.0)
            return not self._alive()
        died = asyncio.Event()
        loop.add_reader(watch, died.set)
        try:
            await asyncio.wait_for(died.wait(), limit_s)
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(watch)
            os.close(watch)
        return True

    def _alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return self._running is not None and _born(self._running.pid) == self._running.born


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "", "::", "localhost") else host


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((_reachable(host), 0))
        return int(probe.getsockname()[1])


def _born(pid: int) -> str:
    """When the process started, as its system tells it; empty where there is none of that number."""
    try:
        import psutil

        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:
        return ""


def _end(running: Running, child: subprocess.Popen[bytes] | None) -> None:
    """End that very process: its number may be another's by now."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if _born(running.pid) != running.born:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, number)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and _born(running.pid) == running.born:
            time.sleep(0.02)
    if child is not None:
        child.wait(timeout=5)


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-5:])
