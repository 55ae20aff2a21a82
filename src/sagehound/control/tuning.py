"""What makes tuning jobs happen: one study for each that has not ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from sagehound.control.study import Study
from sagehound.control.trial_folders import TrialFolders
from sagehound.errors import SagehoundError
from sagehound.jobs.cores import usable_cores
from sagehound.jobs.growth import Growth
from sagehound.records.record import Record
from sagehound.records.training import TrainingJob
from sagehound.records.tuning import TuningJob, TuningStatus
from sagehound.settings import Settings
from sagehound.store.store import Query, Store, every

_LOG = logging.getLogger(__name__)
#: After an error that is not the tuning job's own (a full disk), its study is made anew so much later.
RETRY_S = 10.0


@dataclass(slots=True)
class _Follower:
    """What a study has not heard yet, and the bell that wakes it. `curves`: it follows trials while they train."""

    curves: bool
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    news: list[TrainingJob] = field(default_factory=list)
    grown: set[str] = field(default_factory=set)

    def heard(self) -> tuple[list[TrainingJob], set[str]]:
        self.bell.clear()
        news, self.news = self.news, []
        grown, self.grown = self.grown, set()
        return news, grown


class TuningLoop:
    """Studies follow the records of tuning jobs and of their trials, woken by the store; and what trials print, where
    that decides whether they go on, woken by the kernel."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._cores = usable_cores()
        self._followers: dict[str, _Follower] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._growth = Growth(self._trial_grew)

    async def run(self) -> None:
        """Work until cancelled. What has not ended then goes on with the next `run`, in this process or another."""
        self._loop = asyncio.get_running_loop()
        self._growth = Growth(self._trial_grew)
        self._store.watch(self._notice)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                going_on = Query(states=(TuningStatus.IN_PROGRESS, TuningStatus.STOPPING), limit=1000)
                for job in await asyncio.to_thread(every, self._store, TuningJob, going_on):
                    self._wake(job)
                await self._loop.create_future()
        finally:
            self._growth.close()
            self._loop = self._tasks = None

    def _notice(self, record: Record) -> None:
        """A record changed; in any thread."""
        loop = self._loop
        if loop is None:
            return
        if isinstance(record, TuningJob):
            loop.call_soon_threadsafe(self._wake, record)
        elif isinstance(record, TrainingJob) and record.parent and (record.status.ended or record.has_trained):
            loop.call_soon_threadsafe(self._trial_changed, record)

    def _wake(self, job: TuningJob) -> None:
        if job.name in self._followers:
            self._followers[job.name].bell.set()
        elif not job.status.ended and self._tasks is not None:
            self._followers[job.name] = _Follower(job.spec.judges_while_training)
            self._tasks.create_task(self._follow(job.name))

    def _trial_changed(self, trial: TrainingJob) -> None:
        follower = self._followers.get(trial.parent)
        if follower is not None and (trial.status.ended or follower.curves):
            follower.news.append(trial)
            follower.bell.set()

    def _trial_grew(self, key: str) -> None:
        tuning, _, trial = key.partition("/")
        follower = self._followers.get(tuning)
        if follower is not None:
            follower.grown.add(trial)
            follower.bell.set()

    async def _follow(self, name: str) -> None:
        """See the tuning job through. A study that failed for no fault of the job's is made anew from the store."""
        try:
            while True:
                try:
                    return await self._see_through(name)
                except Exception:  # noqa: BLE001 - it is logged whole, and the loop must outlive it
                    _LOG.exception("tuning job %s cannot go on; it is tried again in %g s", name, RETRY_S)
                await asyncio.sleep(RETRY_S)
        finally:
            del self._followers[name]

    async def _see_through(self, name: str) -> None:
        follower, watched = self._followers[name], frozenset[str]()
        folders = TrialFolders(self._settings.jobs_folder, self._clock)
        study = Study(self._store, name, self._clock, folders, self._cores, self._settings.host_slots)
        try:
            while (left := await asyncio.to_thread(study.advance, *follower.heard())) is not None:
                watched = self._watch(name, folders, watched, study.watched)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(follower.bell.wait(), None if left == math.inf else left)
        except SagehoundError as error:
            await asyncio.to_thread(study.give_up, error.message)
        finally:
            self._watch(name, folders, watched, frozenset())

    def _watch(self, tuning: str, folders: TrialFolders, before: frozenset[str], now: frozenset[str]) -> frozenset[str]:
        """Follow the files of the trials that train now, and no others."""
        for trial in before - now:
            self._growth.forget(f"{tuning}/{trial}")
        for trial in now - before:
            self._growth.watch(f"{tuning}/{trial}", folders.metrics_path(trial))
        return now
