"""The ASGI application: from a signed AWS request to its operation and back."""

from __future__ import annotations

import inspect
import logging
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from anyio.to_thread import run_sync
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sagehound.api.body import Disconnected, TooLarge, read_body, read_head, write
from sagehound.api.context import NOTES, Context, Operation
from sagehound.errors import SagehoundError
from sagehound.records.notes import HEADER, to_header
from sagehound.wire.call import Call, is_runtime, route
from sagehound.wire.errors import AwsError
from sagehound.wire.incoming import Outgoing
from sagehound.wire.services import Catalogue
from sagehound.wire.signature import Verifier

#: More than the largest request that the models allow of an offered operation, other than a payload.
REQUEST_LIMIT_BYTES = 4 * 1024 * 1024

_PONG = PlainTextResponse("sagehound\n")
_log = logging.getLogger(__name__)


def app(context: Context, operations: Mapping[tuple[str, str], Operation] | None = None) -> ASGIApp:
    """The service over `context`: every operation of the table (`operations`, else all of Sagehound's), and /ping."""
    if operations is None:
        from sagehound.api.operations import OPERATIONS

        operations = OPERATIONS
    return Endpoint(context, operations)


class Endpoint:
    """Answers every AWS request, of any service, at any path: an ASGI app without a router or middleware, whose cost an
    endpoint's callers would pay at each call."""

    def __init__(self, context: Context, operations: Mapping[tuple[str, str], Operation]) -> None:
        self._context = context
        self._operations = operations
        self._catalogue = Catalogue(operations)
        self._verifier = Verifier(context.keys, context.settings.region, context.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/ping" and scope["method"] in ("GET", "HEAD"):
            await _PONG(scope, receive, send)
            return
        head, request_id = read_head(scope), str(uuid.uuid4())
        limit = self._context.invoke_limit_bytes if is_runtime(head) else REQUEST_LIMIT_BYTES
        try:
            body = await read_body(receive, limit)
        except Disconnected:
            return
        except TooLarge as error:
            refusal = AwsError("RequestEntityTooLargeException", error.message, 413)
            await write(send, route(head, request_id).failure(refusal))
            return
        call = route(replace(head, body=body), request_id)
        outgoing = await self.answer(call)
        _log.debug("%s %s -> %d (request %s)", call.operation or head.method, head.path, outgoing.status, request_id)
        await write(send, outgoing)

    async def answer(self, call: Call) -> Outgoing:
        """What `call` is answered; every error is in it."""
        try:
            operation = self._operations[call.admit(self._verifier, self._catalogue)]
            response = await self._run(operation, call.request())
            notes = response.pop(NOTES, ())
            answer = call.success(response)
            return replace(answer, headers={**answer.headers, HEADER: to_header(notes)}) if notes else answer
        except SagehoundError as error:
            return call.failure(error)
        except Exception as error:  # noqa: BLE001 - the service outlives any operation's mistake
            _log.exception("%s failed (request %s)", call.operation, call.request_id)
            return call.failure(error)

    async def _run(self, operation: Operation, request: dict[str, Any]) -> dict[str, Any]:
        if inspect.iscoroutinefunction(operation):
            answer: dict[str, Any] = await operation(request, self._context)
            return answer
        result = await run_sync(operation, request, self._context)
        assert isinstance(result, dict), "an operation that is no coroutine answers at once"
        return result
