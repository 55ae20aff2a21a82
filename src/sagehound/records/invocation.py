"""One call of an endpoint and its answer, between the runtime API and the workers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What InvokeEndpoint received. `variant` empty: chosen by weight. `headers` are the X-Amzn-SageMaker-* ones
    that the container sees."""

    endpoint: str
    body: bytes
    content_type: str = ""
    accept: str = ""
    variant: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the worker answered. `status` is its HTTP status: from 400 on the runtime API makes a ModelError of it.
    `headers` are the X-Amzn-SageMaker-* ones that the user's code set, their names in lower case."""

    status: int
    body: bytes
    content_type: str
    variant: str
    headers: dict[str, str] = field(default_factory=dict)
