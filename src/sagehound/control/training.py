"""What makes training jobs happen: one course for each that has not ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sagehound.control.course import Course, Surroundings
from sagehound.control.slots import Grant, Request, Slots, gpus_of, gpus_present
from sagehound.control.trash import Trash
from sagehound.jobs.cores import usable_cores
from sagehound.jobs.launcher import Launcher
from sagehound.objects.store import ObjectStore
from sagehound.records.record import Record
from sagehound.records.training import TrainingJob, TrainingStatus
from sagehound.settings import Settings
from sagehound.store.store import Query, Store, every

_LOG = logging.getLogger(__name__)
_TRIES = 3


class TrainingLoop:
    """Courses follow the records of training jobs, woken by the store; nothing is polled.

    Jobs that an earlier service started are taken over where they are; others queue for their slots in the order in
    which they were created.
    """

    def __init__(
        self,
        store: Store,
        objects: ObjectStore,
        launcher: Launcher,
        settings: Settings,
        clock: Callable[[], float],
        client_environment: dict[str, str],
        gpus: tuple[int, ...] | None = None,
        retry_s: float = 10.0,
        **surroundings: object,
    ) -> None:
        self._around = Surroundings(
            store=store,
            objects=objects,
            launcher=launcher,
            settings=settings,
            clock=clock,
            client_environment=client_environment,
            trash=Trash(settings.trash_folder),
            **surroundings,  # type: ignore[arg-type]
        )
        self._gpus = gpus_present() if gpus is None else gpus
        self._retry_s = retry_s
        self._courses: dict[str, Course] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._slots = Slots(settings.host_slots, usable_cores(), self._gpus)

    async def run(self) -> None:
        """Work until cancelled. What has not ended then goes on with the next `run`, in this process or another."""
        self._loop = asyncio.get_running_loop()
        self._slots = Slots(self._around.settings.host_slots, usable_cores(), self._gpus)
        self._courses.clear()
        self._around.store.watch(self._notice)
        self._around.trash.empty()
        going_on = Query(states=(TrainingStatus.IN_PROGRESS, TrainingStatus.STOPPING), limit=1000)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                left = await asyncio.to_thread(every, self._around.store, TrainingJob, going_on)
                # What runs already is counted before anything else gets a slot.
                for job in sorted(left, key=lambda job: not self._started(job)):
                    self._wake(job)
                await self._loop.create_future()
        finally:
            self._loop = self._tasks = None

    def _notice(self, record: Record) -> None:
        """A record changed; in any thread."""
        loop = self._loop
        if loop is not None and isinstance(record, TrainingJob) and not record.status.ended:
            loop.call_soon_threadsafe(self._wake, record)

    def _wake(self, job: TrainingJob) -> None:
        course = self._courses.get(job.name)
        if course is None and self._tasks is not None:
            course = self._courses[job.name] = Course(job.name, self._around)
            queue = self._slots.take if self._started(job) else self._slots.request
            request = queue(job.spec.instance_count, gpus_of(job.spec.instance_type))
            self._tasks.create_task(self._follow(job.name, course, request))
        if course is not None:
            course.hear()
        if course is not None and job.status is TrainingStatus.STOPPING:
            course.stop()

    def _started(self, job: TrainingJob) -> bool:
        return self._around.launcher.started(self._around.folder(job.name))

    async def _follow(self, name: str, course: Course, request: Request) -> None:
        try:
            await self._see_through(name, course, await _turn(request, course))
        finally:
            self._slots.release(request)
            del self._courses[name]

    async def _see_through(self, name: str, course: Course, grant: Grant | None) -> None:
        """The whole course. After an error that is not the job's own (a full disk) it goes on from where it was."""
        for tries in range(1, _TRIES + 1):
            try:
                return await course.run(grant)
            except Exception as error:  # noqa: BLE001 - it is logged whole, and the loop must outlive it
                _LOG.exception("training job %s cannot go on (%d of %d tries)", name, tries, _TRIES)
                reason = f"InternalServerError: {type(error).__name__}: {error}"
            await asyncio.sleep(self._retry_s)
        while True:
            try:
                return await course.fail(reason)
            except Exception:  # noqa: BLE001 - the record must tell the end, as soon as it can be written
                _LOG.exception("the end of training job %s cannot be written; trying again", name)
            await asyncio.sleep(self._retry_s)


async def _turn(request: Request, course: Course) -> Grant | None:
    """The job's grant when its turn comes; None where it is stopped before."""
    stopping = asyncio.ensure_future(course.stopping.wait())
    try:
        await asyncio.wait((request.granted, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    return request.granted.result() if request.granted.done() else None
