"""What makes endpoints happen: creates, updates, restarts and deletes them, and takes their invocations."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections import defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from sagehound.control import deployment as deployments
from sagehound.control.deployment import Deployment, Stager
from sagehound.control.fleet import Fleet
from sagehound.control.pool import Pool, Seat
from sagehound.control.serving_command import Surroundings, commands
from sagehound.errors import InvalidInput, JobFailure, NotFound, ServiceUnavailable
from sagehound.records.invocation import Invocation, Reply
from sagehound.records.record import Record
from sagehound.records.serving import Endpoint, EndpointStatus, Variant
from sagehound.store.store import Store, every

_LOG = logging.getLogger(__name__)
_ACTED_ON = (EndpointStatus.CREATING, EndpointStatus.UPDATING, EndpointStatus.DELETING)
#: How long an invocation waits for an endpoint that comes back after a restart of the service.
RETURN_TIMEOUT_S = 60.0
#: FailureReason's own limit.
_REASON_CHARACTERS = 1024


class EndpointLoop:
    """Endpoints' workers follow the endpoints' records. `folder` holds a folder an endpoint."""

    def __init__(
        self, store: Store, stager: Stager, folder: Path, surroundings: Surroundings, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._stager = stager
        self._folder = folder
        self._surroundings = surroundings
        self._clock = clock
        self._fleets: dict[str, Fleet] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Work until cancelled; then every worker is ended, and the records stay as they are."""
        self._store.watch(self._noticed)
        records = await asyncio.to_thread(every, self._store, Endpoint)
        self._loop = asyncio.get_running_loop()
        for record in records:
            self._wake(record)
        try:
            await self._loop.create_future()
        finally:
            self._loop = None
            await self._end_tasks([task for tasks in self._tasks.values() for task in tasks])
            await asyncio.gather(*(fleet.stop() for fleet in self._fleets.values()))
            self._fleets.clear()

    async def invoke(self, invocation: Invocation) -> Reply:
        """The answer of a worker of the endpoint.

        NotFound where there is no such endpoint, InvalidInput where it is not in service or has no such variant,
        ServiceUnavailable where no worker is free in time. What the user's code does wrong is a Reply.
        """
        fleet = self._fleets.get(invocation.endpoint) or await self._arrival(invocation.endpoint)
        return await fleet.invoke(invocation)

    def _noticed(self, record: Record) -> None:
        """Called by the store in any thread."""
        loop = self._loop
        if loop is not None and isinstance(record, Endpoint) and record.status in _ACTED_ON:
            loop.call_soon_threadsafe(self._wake, record)

    def _wake(self, record: Endpoint) -> None:
        if self._loop is None:
            return
        if record.status is EndpointStatus.DELETING:
            for task in self._tasks[record.name]:
                task.cancel()
        task = asyncio.create_task(self._reconcile(record.name))
        self._tasks[record.name].add(task)
        task.add_done_callback(lambda done: self._finished(record.name, done))

    def _finished(self, name: str, task: asyncio.Task[None]) -> None:
        self._tasks[name].discard(task)
        if not self._tasks[name]:
            del self._tasks[name]
            self._locks.pop(name, None)
        self._tell()
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("endpoint %s", name, exc_info=task.exception())

    async def _reconcile(self, name: str) -> None:
        async with self._locks[name]:
            try:
                record = await asyncio.to_thread(self._store.get, Endpoint, name)
                await self._act(record)
            except NotFound:
                return
            except Exception as error:  # noqa: BLE001 - a defect shows in the record, and the service stays up
                _LOG.exception("endpoint %s", name)
                await self._settle(name, EndpointStatus.FAILED, failure_reason=f"{type(error).__name__}: {error}")

    def _act(self, record: Endpoint) -> Coroutine[Any, Any, None]:
        match record.status:
            case EndpointStatus.CREATING:
                return self._create(record)
            case EndpointStatus.UPDATING:
                return self._update(record)
            case EndpointStatus.DELETING:
                return self._delete(record)
            case EndpointStatus.IN_SERVICE if record.name not in self._fleets:
                return self._return(record)
            case _:
                return asyncio.sleep(0)

    async def _create(self, record: Endpoint) -> None:
        folder = self._folder / record.name
        await asyncio.to_thread(deployments.clear, folder)
        try:
            deployment, fleet = await self._deploy(folder, record.config)
        except JobFailure as error:
            await self._settle(record.name, EndpointStatus.FAILED, failure_reason=str(error))
            return
        deployments.save(folder, deployment)
        self._fleets[record.name] = fleet
        served = tuple(placed.variant for placed in deployment.variants)
        await self._settle(record.name, EndpointStatus.IN_SERVICE, variants=served, failure_reason="")

    async def _update(self, record: Endpoint) -> None:
        folder, name = self._folder / record.name, record.name
        if name not in self._fleets:
            await self._try_return(record)
        try:
            deployment, fleet = await self._deploy(folder, record.wanted or record.config)
        except JobFailure as error:
            back = EndpointStatus.IN_SERVICE if name in self._fleets else EndpointStatus.FAILED
            await self._settle(name, back, wanted="", failure_reason=str(error))
            return
        deployments.save(folder, deployment)
        former, self._fleets[name] = self._fleets.get(name), fleet
        served = tuple(placed.variant for placed in deployment.variants)
        await self._settle(
            name, EndpointStatus.IN_SERVICE, config=deployment.config, variants=served, wanted="", failure_reason=""
        )
        if former is not None:
            await _retire(former)
        await asyncio.to_thread(deployments.discard_others, folder, deployment)

    async def _delete(self, record: Endpoint) -> None:
        fleet = self._fleets.get(record.name)
        if fleet is not None:
            await fleet.stop()
            del self._fleets[record.name]
        await asyncio.to_thread(deployments.clear, self._folder / record.name)
        await asyncio.to_thread(self._store.delete, Endpoint, record.name)

    async def _return(self, record: Endpoint) -> None:
        """Start the workers of an endpoint that was in service when the service ended."""
        reason = await self._try_return(record)
        if reason:
            await self._settle(record.name, EndpointStatus.FAILED, failure_reason=reason)

    async def _try_return(self, record: Endpoint) -> str:
        folder = self._folder / record.name
        deployment = deployments.load(folder)
        if deployment is None:
            return f"its files in {folder} are gone; delete the endpoint and create it again"
        await asyncio.to_thread(deployments.discard_others, folder, deployment)
        try:
            self._fleets[record.name] = await self._start(folder, deployment)
        except JobFailure as error:
            return f"after a restart of the service: {error}"
        self._tell()
        return ""

    async def _deploy(self, folder: Path, config: str) -> tuple[Deployment, Fleet]:
        """A fleet that answers, of the configuration; JobFailure, and nothing left of it, where it cannot be."""
        deployment = await _uninterrupted(asyncio.to_thread(self._stager.stage, folder, config))
        try:
            return deployment, await self._start(folder, deployment)
        except BaseException:
            shutil.rmtree(folder / str(deployment.number), ignore_errors=True)
            raise

    async def _start(self, folder: Path, deployment: Deployment) -> Fleet:
        seats: dict[str, list[Seat]] = {placed.variant.name: [] for placed in deployment.variants}
        try:
            for command in commands(folder, deployment, self._surroundings):
                seats[command.variant].append(Seat(command))
            weights = {placed.variant.name: placed.variant.weight for placed in deployment.variants}
            fleet = Fleet({name: Pool(own) for name, own in seats.items()}, weights)
            await fleet.start()
        except OSError as error:
            raise JobFailure(f"a worker could not be started: {error}") from error
        return fleet

    async def _settle(self, name: str, status: EndpointStatus, **changes: str | tuple[Variant, ...]) -> None:
        """Write how it went, unless the endpoint is being deleted by now."""
        if "failure_reason" in changes:
            changes["failure_reason"] = changes["failure_reason"][:_REASON_CHARACTERS]

        def change(record: Endpoint) -> Endpoint:
            if record.status is EndpointStatus.DELETING:
                return record
            return record.evolve(status=status, modified_at=self._clock(), **changes)

        await asyncio.to_thread(self._store.update, Endpoint, name, change)

    async def _arrival(self, name: str) -> Fleet:
        """The fleet of an endpoint that has none: after a restart of the service it is on its way."""
        record = await asyncio.to_thread(self._store.get, Endpoint, name)
        if record.status in (EndpointStatus.CREATING, EndpointStatus.DELETING, EndpointStatus.FAILED):
            why = f": {record.failure_reason}" if record.failure_reason else ""
            raise InvalidInput(f"endpoint {name} is {record.status}, it can be invoked when it is InService{why}")
        try:
            async with asyncio.timeout(RETURN_TIMEOUT_S):
                while name not in self._fleets and not self._gave_up(name):
                    await self._changed.wait()
                return self._fleets[name]
        except (TimeoutError, KeyError):
            raise ServiceUnavailable(
                f"the service was started again and endpoint {name} is not back yet; try again, or see its log"
            ) from None

    def _gave_up(self, name: str) -> bool:
        return self._loop is not None and name not in self._tasks

    def _tell(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _end_tasks(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _retire(fleet: Fleet) -> None:
    try:
        await fleet.drain()
    finally:
        await fleet.stop()


async def _uninterrupted(work: Coroutine[Any, Any, Deployment]) -> Deployment:
    """The result of work in a thread, which cannot be interrupted: a cancel waits for its end, or it would write into
    a folder that is being removed."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
