"""The worker's HTTP face: `GET /ping` and `POST /invocations`, as an ASGI app."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from typing import Any

from sagehound.errors import InvalidInput, Unsupported
from sagehound.serve.faults import describe
from sagehound.serve.handlers import Handlers, Request, Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_TEXT = "text/plain; charset=utf-8"
#: What a caller of InvokeEndpoint gets of the headers that the user's code sets.
_FORWARDED = "x-amzn-sagemaker-"


def app(handlers: Handlers, thread: Executor) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An app over loaded handlers. The user's code runs in `thread`, which should be the one that loaded the model:
    PyTorch keeps grad mode and the CUDA device by thread."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"], scope.get("path"):
            case "http", "/invocations":
                request = _request(scope, await _body(receive))
                response = await asyncio.get_running_loop().run_in_executor(thread, answer, handlers, request)
            case "http", "/ping":
                response = Response(b"", _TEXT)
            case "http", path:
                response = Response(f"{path} is not served; POST /invocations or GET /ping".encode(), _TEXT, 404)
            case _:
                return
        await _send(send, response)

    return serve


def answer(handlers: Handlers, request: Request) -> Response:
    """The handlers' response; or 400 and 415 for input that the defaults cannot take, 500 for the user's exception,
    each with one line that says what went wrong and where. The traceback goes to stderr."""
    try:
        return handlers.handle(request)
    except InvalidInput as error:
        print(f"refused: {error}", file=sys.stderr, flush=True)
        return Response(str(error).encode(), _TEXT, 415 if isinstance(error, Unsupported) else 400)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code may raise anything
        traceback.print_exc()
        sys.stderr.flush()
        return Response(describe(error, handlers.folder).encode(), _TEXT, 500)


def _request(scope: Scope, body: bytearray) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(body, headers.get("content-type", ""), headers.get("accept", ""), headers)


async def _body(receive: Receive) -> bytearray:
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _send(send: Send, response: Response) -> None:
    headers = [
        (b"content-type", response.content_type.encode("latin-1", "replace")),
        (b"content-length", b"%d" % len(response.body)),
        *(
            (name.encode("latin-1", "replace"), _one_line(value).encode("latin-1", "replace"))
            for name, value in response.headers.items()
            if name.startswith(_FORWARDED)
        ),
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def _one_line(value: object) -> str:
    return " ".join(str(value).splitlines())
