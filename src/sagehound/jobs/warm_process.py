"""A template as its owner sees it: a process, the socket to it, and the answers that come back."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import weakref
from pathlib import Path

from sagehound.jobs.template_program import PROGRAM, READY

#: Of what a template says when it is ready: some thousand names.
_MOST_BYTES = 1 << 20
_SOURCE = str(Path(__file__).parents[2])


class Silent(Exception):
    """A job that was asked for was not taken: what is known of it."""


class Answer:
    """What comes of one request."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def taken(self, timeout_s: float) -> bool:
        """Whether a process has claimed the job. `Silent` where none says so in time, or it died."""
        try:
            if not _readable(self._descriptor, timeout_s):
                raise Silent(f"gave no answer within {timeout_s:g} s")
            said = os.read(self._descriptor, 4096)
        finally:
            os.close(self._descriptor)
        if not said:
            raise Silent("died")
        return said.startswith(b"ok")


class WarmProcess:
    """A template that imports `modules` (and names all that it has, once it is ready), started in `environment`.

    It imports while its owner goes on, and ends with this object, or with this process, however that ends. OSError
    where it cannot be started.
    """

    def __init__(
        self, modules: frozenset[str], environment: dict[str, str], sites: list[str], dropin: str, idle_s: float
    ) -> None:
        self.modules, self.environment = modules, environment
        self.ready = False
        #: The module that cannot be imported ahead, and why.
        self.unfit: tuple[str, str] | None = None
        told = {"modules": sorted(modules), "sites": sites, "dropin": dropin, "idle_s": idle_s}
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, _SOURCE, str(theirs.fileno()), json.dumps(told)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
                env={"PATH": os.environ.get("PATH", os.defpath), **environment},
                cwd="/",
            )
        self._process = process
        self.end = weakref.finalize(self, _end, process, self._channel)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def living(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout_s: float) -> None:
        """Until there is news of it, or the time is over."""
        if self.end.alive:
            _readable(self._channel.fileno(), max(0.0, timeout_s))

    def settled(self) -> bool:
        """Whether it is known if it is `ready`; never waits."""
        if not self.end.alive:
            return True
        if not _readable(self._channel.fileno(), 0):
            return False
        try:
            said, *words = json.loads(self._channel.recv(_MOST_BYTES) or "[null]")
        except OSError:
            return True
        self.ready = said == READY
        if self.ready:
            self.modules |= frozenset(words)
        elif said:
            self.unfit = said, str(words[0])
        return True

    def ask(self, folder: Path) -> Answer | None:
        """Have the job in `folder` supervised and run; None where it does not hear."""
        reader, writer = os.pipe()
        try:
            socket.send_fds(self._channel, [str(folder).encode()], [writer])
        except OSError:
            os.close(reader)
            return None
        finally:
            os.close(writer)
        return Answer(reader)


def _readable(descriptor: int, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))


def _end(process: subprocess.Popen[bytes], channel: socket.socket) -> None:
    channel.close()
    process.kill()
    process.wait()
