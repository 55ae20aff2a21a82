"""What makes the debugger's and the profiler's rules happen: one evaluation for each training job that has some."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sagehound.control.actions import Actions
from sagehound.control.evaluation import POLL_S, STUCK_S, Bench, Evaluation
from sagehound.control.patience import DELAYS_S
from sagehound.errors import NotFound
from sagehound.jobs import variables
from sagehound.jobs.lines import LineWriter
from sagehound.jobs.logs import log_path
from sagehound.objects.store import ObjectStore
from sagehound.records.record import Record
from sagehound.records.rules import RuleEvaluation
from sagehound.records.training import TrainingJob, TrainingStatus
from sagehound.settings import Settings
from sagehound.store.store import Query, Store, every

_LOG = logging.getLogger(__name__)
EVALUATOR = (sys.executable, "-m", "sagehound.debug.evaluator")
PROFILER = (sys.executable, "-m", "sagehound.profile.evaluator")
RETRY_S = 10.0


class RuleLoop:
    """Evaluations follow the records of training jobs, woken by the store. As many jobs are judged side by side as may
    run side by side; those of jobs that have ended take their turn among them."""

    def __init__(
        self,
        store: Store,
        objects: ObjectStore,
        settings: Settings,
        clock: Callable[[], float],
        client_environment: Mapping[str, str],
        command: Sequence[str] = EVALUATOR,
        profiler_command: Sequence[str] = PROFILER,
        poll_s: float = POLL_S,
        delays_s: tuple[float, ...] = DELAYS_S,
        service: Mapping[str, str] = os.environ,
        stuck_s: float = STUCK_S,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._bench = Bench(
            store=store,
            objects=objects,
            settings=settings,
            clock=clock,
            actions=Actions(store, settings, clock, self._say),
            command=command,
            profiler_command=profiler_command,
            environment=_environment(service, client_environment),
            poll_s=poll_s,
            delays_s=delays_s,
            stuck_s=stuck_s,
        )
        self._evaluations: dict[str, Evaluation] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._places = asyncio.Semaphore(settings.host_slots)

    async def run(self) -> None:
        """Work until cancelled. What has not ended then goes on with the next `run`, in this process or another."""
        self._loop = asyncio.get_running_loop()
        self._places = asyncio.Semaphore(self._settings.host_slots)
        self._evaluations.clear()
        self._store.watch(self._notice)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                for job in await asyncio.to_thread(self._left):
                    self._wake(job)
                await self._loop.create_future()
        finally:
            self._loop = self._tasks = None

    def _left(self) -> list[TrainingJob]:
        """Jobs that go on, and those whose rules do."""
        running = Query(states=(TrainingStatus.IN_PROGRESS, TrainingStatus.STOPPING), limit=1000)
        found = {job.name: job for job in every(self._store, TrainingJob, running)}
        for name in {one.parent for one in every(self._store, RuleEvaluation, Query(states=("GoingOn",), limit=1000))}:
            try:
                found[name] = self._store.get(TrainingJob, name)
            except NotFound:
                _LOG.error("rules of a training job %s that does not exist", name)
        return [job for job in found.values() if job.spec.all_rules]

    def _notice(self, record: Record) -> None:
        """A record changed; in any thread."""
        loop = self._loop
        if loop is not None and isinstance(record, TrainingJob) and record.spec.all_rules:
            loop.call_soon_threadsafe(self._wake, record)

    def _wake(self, job: TrainingJob) -> None:
        evaluation = self._evaluations.get(job.name)
        if evaluation is None and self._tasks is not None:
            evaluation = self._evaluations[job.name] = Evaluation(job, self._bench)
            self._tasks.create_task(self._follow(job.name, evaluation))
        if evaluation is not None:
            evaluation.hear(job)

    async def _follow(self, name: str, evaluation: Evaluation) -> None:
        """See a job's rules through. After an error that is not a rule's own (a full disk) they are taken up again."""
        try:
            while True:
                try:
                    return await evaluation.run(self._places)
                except Exception:  # noqa: BLE001 - it is logged whole, and the loop must outlive it
                    _LOG.exception("rules of training job %s cannot go on; tried again in %g s", name, RETRY_S)
                await asyncio.sleep(RETRY_S)
        finally:
            del self._evaluations[name]

    def _say(self, job: str, text: str) -> None:
        """A line in a job's log, if it has one."""
        folder: Path = self._settings.jobs_folder / job
        if folder.is_dir():
            writer = LineWriter(log_path(folder, "algo-1"), self._clock)
            writer.say(text)
            writer.close()


def _environment(service: Mapping[str, str], client: Mapping[str, str]) -> dict[str, str]:
    """An evaluator's: one thread, and `smdebug` importable for rules of the user's own."""
    threads = dict.fromkeys(variables.THREADS, "1")
    return {**variables.inherited(service), **client, **threads, "PYTHONPATH": str(variables.DROPIN)}
