"""What every operation is given beside its request."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sagehound.keys import Keys
from sagehound.names import Arn
from sagehound.records.invocation import Invocation, Reply
from sagehound.settings import Settings
from sagehound.store.store import Store


class Invoker(Protocol):
    """What answers InvokeEndpoint.

    `invoke` raises NotFound where no endpoint (or no variant) of that name takes calls, ServiceUnavailable where
    it cannot answer now, ModelError where the worker died of the call; whatever the user's code answered,
    errors too, is a Reply.
    """

    async def invoke(self, invocation: Invocation) -> Reply: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The service as its operations see it. `clock` gives seconds since the epoch.

    `invoke_limit_bytes` and `invoke_timeout_s` are what InvokeEndpoint takes and waits for; AWS's by default.
    """

    settings: Settings
    store: Store
    keys: Keys
    invoker: Invoker
    clock: Callable[[], float] = time.time
    invoke_limit_bytes: int = 6 * 1024 * 1024
    invoke_timeout_s: float = 60.0

    def arn(self, resource: str, name: str) -> str:
        """The ARN of this account's `resource` (a record's kind) called `name`."""
        return str(Arn("sagemaker", self.settings.region, self.settings.account, resource, name))


#: The key of an answer under which notes go, which no field of AWS's has room for; see records/notes.py.
NOTES = "sagehound:notes"

#: An operation: the validated request in, the response out. Both name fields as AWS does; a timestamp is a float of
#: seconds since the epoch in both; a response's None is left out. What it raises of sagehound.errors becomes AWS's
#: error. A coroutine function runs in the service's loop, any other in a worker thread.
Operation = Callable[[dict[str, Any], Context], dict[str, Any] | Awaitable[dict[str, Any]]]
