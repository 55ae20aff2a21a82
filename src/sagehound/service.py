"""The service of a home: everything put together, and run."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import uvicorn

from sagehound import client
from sagehound.address import Address
from sagehound.api.app import app
from sagehound.api.context import Context
from sagehound.control.deployment import Stager
from sagehound.control.endpoints import EndpointLoop
from sagehound.control.rules import RuleLoop
from sagehound.control.serving_command import surroundings
from sagehound.control.training import TrainingLoop
from sagehound.control.tuning import TuningLoop
from sagehound.errors import AlreadyExists, InvalidInput
from sagehound.jobs.process import ProcessLauncher
from sagehound.keys import Keys, adopt_keys, load_keys
from sagehound.objects.embedded import EmbeddedObjects
from sagehound.objects.s3 import S3Objects
from sagehound.objects.server import EmbeddedServer
from sagehound.objects.store import ObjectStore
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore


def run(settings: Settings, ready: Callable[[Address], None]) -> None:
    """`serve` in a loop of its own: uvloop's where it is installed (all but Windows), a tenth faster a call."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(settings, ready))


async def serve(settings: Settings, ready: Callable[[Address], None]) -> None:
    """Run the service until SIGTERM or SIGINT; `ready` is called once it answers.

    AlreadyExists where another one runs in the same home, OSError where the port is taken.
    """
    with _alone(settings.home), contextlib.closing(SqliteStore(settings.home / "state.db")) as store:
        keys = _keys(settings)
        with _listen(settings) as listener:
            async with _objects(settings, keys) as (objects, s3_endpoint):
                address = Address(
                    endpoint=_url(settings.host, listener.getsockname()[1]),
                    s3_endpoint=s3_endpoint,
                    account=settings.account,
                    region=settings.region,
                    pid=os.getpid(),
                )
                await _serve(settings, address, keys, store, objects, listener, ready)


async def _serve(
    settings: Settings,
    address: Address,
    keys: Keys,
    store: SqliteStore,
    objects: ObjectStore,
    listener: socket.socket,
    ready: Callable[[Address], None],
) -> None:
    environment = client.environment(address, keys, settings.home)
    launcher = ProcessLauncher(warm=settings.warm_start)
    training = TrainingLoop(store, objects, launcher, settings, time.time, environment)
    tuning = TuningLoop(store, settings, time.time)
    rules = RuleLoop(store, objects, settings, time.time, environment)
    workers = surroundings(os.environ, environment, settings.fast_malloc)
    stager = Stager(store, objects, settings.environments_folder)
    endpoints = EndpointLoop(store, stager, settings.endpoints_folder, workers, time.time)
    context = Context(settings=settings, store=store, keys=keys, invoker=endpoints)
    server = _Server(
        uvicorn.Config(
            app(context), log_level="warning", access_log=False, lifespan="off", proxy_headers=False, ws="none"
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.end)
    async with asyncio.TaskGroup() as group:
        loops = [group.create_task(part.run()) for part in (training, rules, tuning, endpoints)]
        web = group.create_task(server.serve(sockets=[listener]))
        await server.begun.wait()
        address.save(settings.home)
        ready(address)
        await web
        for task in loops:
            task.cancel()


class _Server(uvicorn.Server):
    """A server that tells when it listens, and leaves signals to the service."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    def end(self) -> None:
        self.should_exit = True


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """The home's lock: the kernel gives it back however its holder ends."""
    try:
        home.mkdir(0o700, parents=True, exist_ok=True)
        lock = (home / "lock").open("w")
    except OSError as problem:
        raise InvalidInput(
            f"{home} cannot be the service's home ({problem}); choose a folder of your own: sagehound up --home FOLDER"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyExists(f"another service runs in {home}; end it with: sagehound down") from None
        yield


def _keys(settings: Settings) -> Keys:
    """The home's keys. A client signs for the service and for S3 with one pair: an S3 of the user's own sets it."""
    if not settings.s3_endpoint:
        return load_keys(settings.home)
    access_key, secret_key = (os.environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    if not (access_key and secret_key):
        raise InvalidInput(
            f"--s3-endpoint {settings.s3_endpoint} needs that store's keys: "
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for `sagehound up`; its clients will use the same pair"
        )
    return adopt_keys(settings.home, Keys(access_key, secret_key))


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    # Inherited by what it accepts. Without it asyncio leaves Nagle's algorithm on for a socket that it did not make
    # itself, and every answer waits 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url(host: str, port: int) -> str:
    """The address at which programs on this machine reach a server that listens at `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)
    return f"http://{reachable}:{port}"


@contextlib.asynccontextmanager
async def _objects(settings: Settings, keys: Keys) -> AsyncIterator[tuple[ObjectStore, str]]:
    """The object store and its URL: the user's own, or the embedded one, kept alive."""
    if settings.s3_endpoint:
        yield S3Objects(settings.s3_endpoint, settings.region, keys), settings.s3_endpoint
        return
    server = EmbeddedServer(settings, keys)
    endpoint = await asyncio.to_thread(server.start)
    watch = asyncio.create_task(server.supervise())
    try:
        yield EmbeddedObjects(settings.s3_folder, S3Objects(endpoint, settings.region, keys)), endpoint
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        await asyncio.to_thread(server.stop)
