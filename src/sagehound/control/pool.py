"""The workers of one variant, and the requests that wait for one of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from sagehound.control.serving_process import Command, ServingProcess
from sagehound.control.together import together
from sagehound.errors import JobFailure, ServiceUnavailable
from sagehound.jobs.logs import LineWriter
from sagehound.records.invocation import Invocation, Reply

#: Requests that may wait for each worker.
QUEUE_PER_WORKER = 100
QUEUE_TIMEOUT_S = 60.0
_HEALTHY_S = 60.0
_LONGEST_BACKOFF_S = 60.0

Sleep = Callable[[float], Awaitable[None]]


def backoff_s(deaths: int) -> float:
    """Seconds to wait before a worker is started again after `deaths` ends in a row: at once after the first.

    >>> [backoff_s(n) for n in (1, 2, 3, 9)]
    [0.0, 1.0, 2.0, 60.0]
    """
    return 0.0 if deaths <= 1 else min(_LONGEST_BACKOFF_S, 2.0 ** (deaths - 2))


class Seat:
    """A place that always has a worker: started again when it ends, and the log says so."""

    def __init__(self, command: Command, sleep: Sleep = asyncio.sleep) -> None:
        self._command = command
        self._sleep = sleep
        self._log = LineWriter(command.log)
        self._process = ServingProcess(command, self._log)
        self._keeper: asyncio.Task[None] | None = None

    async def start(self, on_ready: Callable[[ServingProcess], None]) -> None:
        """Start the first worker, or raise its JobFailure; `on_ready` gets it and every later one."""
        await self._process.start()
        on_ready(self._process)
        self._keeper = asyncio.create_task(self._keep(on_ready))

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self._process.stop()
        self._log.close()

    async def _keep(self, on_ready: Callable[[ServingProcess], None]) -> None:
        deaths, loop = 0, asyncio.get_running_loop()
        while True:
            since = loop.time()
            how = await self._process.ended()
            deaths = 1 if loop.time() - since > _HEALTHY_S else deaths + 1
            self._log.say(f"sagehound: the worker ended ({how}); it is started again in {backoff_s(deaths):g} s")
            deaths += await self._again(deaths)
            on_ready(self._process)

    async def _again(self, deaths: int) -> int:
        """Start until it works; how many starts failed."""
        failed = 0
        while True:
            await self._sleep(backoff_s(deaths + failed))
            self._process = ServingProcess(self._command, self._log)
            try:
                await self._process.start()
            except (JobFailure, OSError) as error:
                failed += 1
                self._log.say(
                    f"sagehound: the worker did not start: {error}; again in {backoff_s(deaths + failed):g} s"
                )
            else:
                return failed


class Pool:
    """Seats of one variant. A request goes to the worker that has been idle longest; where none is, it waits."""

    def __init__(self, seats: list[Seat]) -> None:
        self._seats = seats
        self._idle: deque[ServingProcess] = deque()
        self._waiting: deque[asyncio.Future[ServingProcess]] = deque()
        self._running: set[asyncio.Task[Reply]] = set()

    async def start(self) -> None:
        """Start every worker; the first JobFailure goes on to the caller once all of them have ended."""
        await together(seat.start(self._give) for seat in self._seats)

    async def invoke(self, invocation: Invocation) -> Reply:
        """The reply of a worker; ServiceUnavailable where the queue is full or none became free in time."""
        process = await self._take()
        # The worker is busy until it has answered, whether or not the caller still waits.
        task = asyncio.create_task(self._ask(process, invocation))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait for every request that is in hand or waits."""
        while self._running or self._waiting:
            pending: set[asyncio.Future[Any]] = {*self._running, *self._waiting}
            await asyncio.wait(pending)
            await asyncio.sleep(0)  # whoever waited in the queue becomes a running request

    async def stop(self) -> None:
        """End every worker; whoever still waits for one gets ServiceUnavailable."""
        self._idle.clear()
        while self._waiting:
            self._waiting.popleft().set_exception(ServiceUnavailable("the endpoint is being deleted or was stopped"))
        await asyncio.gather(*(seat.stop() for seat in self._seats))

    async def _ask(self, process: ServingProcess, invocation: Invocation) -> Reply:
        try:
            return await process.ask(invocation)
        finally:
            self._give(process)

    async def _take(self) -> ServingProcess:
        while self._idle:
            process = self._idle.popleft()
            if process.ready:
                return process
        if len(self._waiting) >= QUEUE_PER_WORKER * len(self._seats):
            raise ServiceUnavailable(
                f"{len(self._waiting)} requests wait already for {len(self._seats)} worker(s); send fewer at a time,"
                " or raise InitialInstanceCount of the variant"
            )
        return await self._wait()

    async def _wait(self) -> ServingProcess:
        waiter: asyncio.Future[ServingProcess] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(QUEUE_TIMEOUT_S):
                return await asyncio.shield(waiter)
        except TimeoutError:
            self._leave(waiter)
            raise ServiceUnavailable(
                f"no worker became free within {QUEUE_TIMEOUT_S:g} s; see the endpoint's log, or send fewer at a time"
            ) from None
        except asyncio.CancelledError:
            self._leave(waiter)
            raise

    def _leave(self, waiter: asyncio.Future[ServingProcess]) -> None:
        """Give up waiting; a worker that came in the same moment goes to the next."""
        if waiter.done():
            self._give(waiter.result())
        else:
            self._waiting.remove(waiter)
            waiter.cancel()

    def _give(self, process: ServingProcess) -> None:
        if not process.ready:
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(process)
                return
        self._idle.append(process)
