"""One worker process of an endpoint, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sagehound.control.exchange import Answer, Exchange, connect
from sagehound.errors import JobFailure
from sagehound.jobs.logs import LineWriter
from sagehound.records.invocation import Invocation, Reply

_TAIL_LINES = 5
_CHUNK_BYTES = 1 << 16
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How a worker of a variant is started. `argv` lacks `--fd N`, `environment` is whole; `failure` is the file in
    which the worker leaves why it could not load, `log` the file of its output."""

    variant: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    folder: Path
    failure: Path
    log: Path
    startup_timeout_s: float = 600.0
    answer_timeout_s: float = 60.0


class ServingProcess:
    """A worker process that takes one request at a time.

    `start` returns when it answers its ping; `ask` one request's reply; `ended` waits for the end of the process,
    however it comes; `stop` ends it. Its stdout and stderr go to `log`, in order.
    """

    def __init__(self, command: Command, log: LineWriter) -> None:
        self._command = command
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._exchange: Exchange | None = None
        self._copier: asyncio.Task[None] | None = None
        self._tail = b""
        self.ready = False

    async def start(self) -> None:
        """Start and wait for the ping; JobFailure says why the model does not load, and then nothing is left."""
        try:
            await self._spawn()
            await self._first_ping()
        except BaseException:
            await self.stop(0)
            raise
        self.ready = True

    async def ask(self, invocation: Invocation) -> Reply:
        """The worker's answer; where it ends or takes too long instead, an answer that says so, and its process is
        ended: a handler cannot be interrupted in any other way."""
        assert self._exchange is not None
        try:
            async with asyncio.timeout(self._command.answer_timeout_s):
                answer = await self._exchange.ask("POST", "/invocations", _headers(invocation), invocation.body)
        except TimeoutError:
            self._kill()
            return self._own_reply(
                504, f"no answer within {self._command.answer_timeout_s:g} s; the worker starts again"
            )
        except ConnectionError:
            self._kill()
            how = await self.ended()
            return self._own_reply(500, f"the worker ended ({how}) while it handled this request; it starts again")
        return _reply(answer, self._command.variant)

    async def ended(self) -> str:
        """Wait for the end of the process and of its output; how it ended, in words."""
        assert self._process is not None
        code = await self._process.wait()
        self.ready = False
        if self._copier is not None:
            # A child of the user's that has the output open must not keep the worker's end from being seen.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await asyncio.shield(self._copier)
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    async def stop(self, grace_s: float = 5.0) -> None:
        """End the process: SIGTERM, and SIGKILL `grace_s` later."""
        self.ready = False
        if self._process is not None:
            with contextlib.suppress(TimeoutError, ProcessLookupError):
                if grace_s > 0:
                    self._process.terminate()
                    await asyncio.wait_for(asyncio.shield(self._process.wait()), grace_s)
            self._kill()
            await self.ended()
        if self._exchange is not None:
            self._exchange.close()

    async def _spawn(self) -> None:
        self._command.folder.mkdir(parents=True, exist_ok=True)
        self._command.failure.unlink(missing_ok=True)
        listener, self._exchange = await _channel()
        with listener:
            argv = (*self._command.argv, "--fd", str(listener.fileno()))
            self._process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=self._command.environment,
                cwd=self._command.folder,
                pass_fds=(listener.fileno(),),
                start_new_session=True,
            )
        self._copier = asyncio.create_task(self._copy_output())

    async def _first_ping(self) -> None:
        assert self._exchange is not None
        try:
            async with asyncio.timeout(self._command.startup_timeout_s):
                await self._exchange.ask("GET", "/ping", {})
        except TimeoutError:
            raise JobFailure(
                f"the worker did not answer its ping within {self._command.startup_timeout_s:g} s; make the model load"
                " faster, or raise ContainerStartupHealthCheckTimeoutInSeconds of the variant"
            ) from None
        except ConnectionError:
            how = await self.ended()
            raise JobFailure(self._why(how)) from None

    def _why(self, how: str) -> str:
        with contextlib.suppress(FileNotFoundError):
            return self._command.failure.read_text()
        lines = self._tail.decode(errors="replace").splitlines()[-_TAIL_LINES:]
        return f"the worker ended ({how}) before the model was loaded; its last lines: {' | '.join(lines) or 'none'}"

    async def _copy_output(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        while data := await self._process.stdout.read(_CHUNK_BYTES):
            self._tail = (self._tail + data)[-_CHUNK_BYTES:]
            self._log.feed(data)
        self._log.flush()

    def _kill(self) -> None:
        self.ready = False
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _own_reply(self, status: int, text: str) -> Reply:
        return Reply(status=status, body=text.encode(), content_type=_TEXT, variant=self._command.variant)


async def _channel() -> tuple[socket.socket, Exchange]:
    """A listening unix socket for a worker to inherit, and our connection to it. The socket's name is gone when this
    returns, so nobody else connects and nothing is left behind."""
    with tempfile.TemporaryDirectory(prefix="sagehound-") as folder:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{folder}/worker")
        listener.listen(1)
        return listener, await connect(f"{folder}/worker")


def _headers(invocation: Invocation) -> dict[str, str]:
    headers = dict(invocation.headers)
    if invocation.content_type:
        headers["content-type"] = invocation.content_type
    if invocation.accept:
        headers["accept"] = invocation.accept
    return headers


def _reply(answer: Answer, variant: str) -> Reply:
    kind = answer.headers.get("content-type", "application/octet-stream")
    own = {name: value for name, value in answer.headers.items() if name.startswith("x-amzn-sagemaker-")}
    return Reply(status=answer.status, body=answer.body, content_type=kind, variant=variant, headers=own)
