"""Read an HTTP request off ASGI, and write an answer to it."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from sagehound.errors import SagehoundError
from sagehound.wire.incoming import Incoming, Outgoing

#: Of a body that is too large so many bytes are read and dropped, so that the client gets to read why.
_DROPPED_BYTES = 256 * 1024 * 1024


class TooLarge(SagehoundError):
    """The body is larger than the operation takes."""


class Disconnected(SagehoundError):
    """The client went away before it had sent its request."""


def read_head(scope: Scope) -> Incoming:
    """The request without its body. A header that comes twice is joined, as a signature has it."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        text, key = value.decode("latin-1"), name.decode("latin-1").lower()
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return Incoming(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1").partition("?")[0],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=b"",
    )


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The whole body; TooLarge beyond `limit_bytes`, of which no more than that is ever kept."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected("the client closed its connection")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit_bytes:
            chunks.append(chunk)
        else:
            chunks.clear()
        if not message.get("more_body") or size > _DROPPED_BYTES:
            break
    if size > limit_bytes:
        raise TooLarge(f"the body has more than the {limit_bytes} bytes that are allowed; send less in one request")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def write(send: Send, outgoing: Outgoing) -> None:
    """Send the answer, whole."""
    headers = [(name.lower().encode("latin-1"), _sendable(value)) for name, value in outgoing.headers.items()]
    headers.append((b"content-length", str(len(outgoing.body)).encode()))
    await send({"type": "http.response.start", "status": outgoing.status, "headers": headers})
    await send({"type": "http.response.body", "body": outgoing.body})


def _sendable(value: str) -> bytes:
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace")
