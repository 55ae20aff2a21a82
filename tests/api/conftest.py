"""Operations over a real store, at a fixed time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sagehound.api.context import Context
from sagehound.api.operations import OPERATIONS
from sagehound.keys import Keys
from sagehound.records.invocation import Invocation, Reply
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore
from tests.api.shapes import assert_request, assert_response, without_none

NOW = 1_795_366_146.0

Call = Callable[..., dict[str, Any]]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class NoEndpoint:
    """What answers where no test invokes."""

    async def invoke(self, invocation: Invocation) -> Reply:
        raise AssertionError(f"{invocation.endpoint} is not to be called")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(tmp_path: Path, clock: Clock) -> Context:
    store = SqliteStore(tmp_path / "state.db")
    yield Context(
        settings=Settings(home=tmp_path), store=store, keys=Keys("AK", "sk"), invoker=NoEndpoint(), clock=clock
    )
    store.close()


@pytest.fixture
def call(context: Context) -> Call:
    """`call(operation, **request)`: the request and the response both fit botocore's models."""
    services = {operation: service for service, operation in OPERATIONS}

    def call(operation: str, **request: Any) -> dict[str, Any]:
        service = services[operation]
        assert_request(service, operation, request)
        response = without_none(OPERATIONS[service, operation](request, context))
        assert_response(service, operation, response)
        return response

    return call
