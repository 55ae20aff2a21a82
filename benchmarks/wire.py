"""What the service adds to a request before its operation runs and after: signature, parsing, checking, serializing.

    python benchmarks/wire.py [--rounds 2000]

Each request is botocore's own, signed. The ratio is to a bare Starlette route that is called in the same way, in this
process and without a socket, by turns with it: it is what a client of an operation that does nothing pays beside the
network. Prints a table and a JSON line; medians count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.serialize import create_serializer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sagehound.api.app import app
from sagehound.api.context import Context
from sagehound.keys import Keys
from sagehound.records.invocation import Invocation, Reply
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore

KEYS = Keys("AKIAEXAMPLEEXAMPLE22", "secret")
HOST = "127.0.0.1:8383"
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e", "Body": b"x" * 1000, "ContentType": "image/jpeg"}),
    ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e", "Body": b"x" * 100_000, "ContentType": "image/jpeg"}),
    ("sts", "GetCallerIdentity", {}),
    ("sagemaker", "ListTrainingJobs", {"MaxResults": 10}),
]


class Instant:
    """Answers every invocation at once."""

    async def invoke(self, invocation: Invocation) -> Reply:
        return Reply(status=200, body=b"[[0.5]]", content_type="application/json", variant="AllTraffic")


def signed(service: str, operation: str, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The request as an ASGI scope and its body."""
    model = botocore.session.Session().get_service_model(service)
    parts = create_serializer(model.resolved_protocol).serialize_to_request(request, model.operation_model(operation))
    headers = {**parts["headers"], "Host": HOST}
    made = AWSRequest(parts["method"], f"http://{HOST}{parts['url_path']}", headers, parts["body"])
    scope = model.metadata.get("signingName", model.metadata["endpointPrefix"])
    SigV4Auth(Credentials(KEYS.access_key, KEYS.secret_key), scope, "us-east-1").add_auth(made)
    prepared = made.prepare()
    body = prepared.body or b""
    pairs = [(name.lower().encode(), str(value).encode()) for name, value in made.headers.items()]
    return asgi(parts["url_path"], pairs), body.encode() if isinstance(body, str) else body


def asgi(path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8383),
    }


async def once(application: ASGIApp, scope: dict[str, Any], body: bytes) -> float:
    """Seconds of one call, which must succeed."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200, message

    started = time.perf_counter()
    await application(dict(scope), receive, send)
    return time.perf_counter() - started


async def bare(request: Request) -> Response:
    await request.body()
    return Response(b"[[0.5]]", media_type="application/json")


async def measure(application: ASGIApp, peer: ASGIApp, rounds: int) -> list[dict[str, Any]]:
    rows = []
    for service, operation, request in CASES:
        scope, body = signed(service, operation, request)
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(await once(application, scope, body))
            theirs.append(await once(peer, scope, body))
        mine, bare_s = statistics.median(ours), statistics.median(theirs)
        rows.append(
            {
                "operation": operation,
                "bytes": len(body),
                "us": mine * 1e6,
                "bare_us": bare_s * 1e6,
                "ratio": mine / bare_s,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2000)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder, "state.db"))
        context = Context(settings=Settings(home=Path(folder)), store=store, keys=KEYS, invoker=Instant())
        peer = Starlette(routes=[Route("/{path:path}", bare, methods=["POST"])])
        rows = asyncio.run(measure(app(context), peer, rounds))
        store.close()
    print(f"{'operation':<20}{'body bytes':>12}{'service us':>12}{'bare us':>10}{'ratio':>8}")
    for row in rows:
        print(f"{row['operation']:<20}{row['bytes']:>12}{row['us']:>12.0f}{row['bare_us']:>10.0f}{row['ratio']:>8.1f}")
    print(json.dumps({"benchmark": "wire", "rows": rows}))


if __name__ == "__main__":
    main()
