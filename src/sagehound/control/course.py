"""The course of one training job, from its place in the queue to its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sagehound.control.artifacts import upload
from sagehound.control.checkpoints import Checkpoints
from sagehound.control.growing_folder import GrowingFolder
from sagehound.control.growing_places import growing_folders, profile_folders, tensors_place
from sagehound.control.patience import DELAYS_S, Interrupted, persistently
from sagehound.control.slots import Grant, gpus_of
from sagehound.control.staging import Staging
from sagehound.control.trash import Trash
from sagehound.errors import JobFailure, ObjectStoreError, ServiceUnavailable
from sagehound.jobs import configuration, contract, metrics, sampling
from sagehound.jobs.delivery import undelivered
from sagehound.jobs.environments import python_folder
from sagehound.jobs.launcher import Exit, Launch, Launcher
from sagehound.jobs.lines import LineWriter
from sagehound.jobs.logs import log_path
from sagehound.objects.store import ObjectStore
from sagehound.records.training import INTERNAL, SecondaryStatus, TrainingJob, TrainingStatus
from sagehound.settings import Settings
from sagehound.store.store import Store

_LOG = logging.getLogger(__name__)

#: While a job runs its checkpoints are stored this often, in seconds.
CHECKPOINT_INTERVAL_S = 5.0
#: And what the debugger saves this often.
TENSOR_INTERVAL_S = 2.0
#: A FailureReason has at most so many characters.
_REASON_CHARACTERS = 1024
_UPLOADED = "uploaded.json"
#: Beside the tensors: the job is over, nothing more will come.
_END_OF_TENSORS = "END_OF_JOB.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every job's course works with. `delays_s` are the waits between tries of an object store that fails."""

    store: Store
    objects: ObjectStore
    launcher: Launcher
    settings: Settings
    clock: Callable[[], float]
    client_environment: dict[str, str]
    trash: Trash
    delays_s: tuple[float, ...] = DELAYS_S
    checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S
    tensor_interval_s: float = TENSOR_INTERVAL_S

    def folder(self, job: str) -> Path:
        return self.settings.jobs_folder / job


class Course:
    """One job's way. Every step can be done again after a kill at any point: what was started is not started twice,
    what was stored is stored again under the same name or not at all.

    `stop` may be called at any time, in the event loop.
    """

    def __init__(self, name: str, around: Surroundings) -> None:
        self._name = name
        self._around = around
        self._folder = around.folder(name)
        #: Set when preparing has no more sense: the job is to stop, or this service ends.
        self._halt = threading.Event()
        #: Set when this service ends: the next one goes on, so nothing may be written of a job's failure.
        self._closing = threading.Event()
        self._stopping = asyncio.Event()
        self._growing: tuple[GrowingFolder, ...] | None = None
        self._profiled = False
        self._news = asyncio.Event()

    def stop(self) -> None:
        """The record says Stopping: end the job, whatever it is doing."""
        self._halt.set()
        self._stopping.set()

    def hear(self) -> None:
        """The record has changed: what the profiler is told may have, too."""
        self._news.set()

    @property
    def stopping(self) -> asyncio.Event:
        return self._stopping

    async def run(self, grant: Grant | None) -> None:
        """See the job through; `grant` None means that it was stopped before its turn came."""
        try:
            while True:
                if not self._around.launcher.started(self._folder):
                    if grant is None or self._stopping.is_set():
                        raise Interrupted
                    await asyncio.to_thread(self._prepare, grant)
                ended = await self._watch()
                if not await asyncio.to_thread(self._made_ready_again, ended):
                    break
            await asyncio.to_thread(self._conclude, ended)
        except Interrupted:
            await asyncio.to_thread(self._end, TrainingStatus.STOPPED, SecondaryStatus.STOPPED, "")
        except JobFailure as failure:
            await self.fail(failure.message)
        except asyncio.CancelledError:
            self._closing.set()
            self._halt.set()
            raise

    async def fail(self, reason: str) -> None:
        """End the job as Failed."""
        await asyncio.to_thread(self._end, TrainingStatus.FAILED, SecondaryStatus.FAILED, reason)

    def _prepare(self, grant: Grant) -> None:
        """Everything up to the start of the script."""
        around = self._around
        job = self._update(lambda job: self._begun(job))
        shutil.rmtree(self._folder / "staged", ignore_errors=True)
        (self._folder / "staged").mkdir(parents=True)
        hosts = contract.host_names(job.spec.instance_count)
        with self._log(hosts[0]) as say:
            staging = Staging(around.objects, self._folder / "staged", self._halt, say, around.delays_s)
            channels, code = staging.channels(job.spec, hosts), staging.code(job.spec)
            launch = self._with_notes(job, contract.launch(job, self._staged(job, channels, code, grant)))
            checkpoints = self._checkpoints(job)
            if checkpoints is not None:
                count = persistently(checkpoints.bring_down, self._halt, say, around.delays_s)
                say(f"Brought {count} checkpoint files from {job.spec.checkpoint_uri}")
        if self._halt.is_set():
            raise Interrupted
        around.launcher.start(launch)

    def _with_notes(self, job: TrainingJob, launch: Launch) -> Launch:
        """The launch, whose log opens with what of a tuner's values the script will not get."""
        if not job.tuned:
            return launch
        host = launch.hosts[0]
        config = host.folder / "input" / "config" / "hyperparameters.json"
        notes = tuple(undelivered(host.folder / "code", host.argv, config, job.tuned))
        if notes:
            self._update(lambda job: job.evolve(notes=notes))
        return replace(launch, notes=(*launch.notes, *(f"sagehound: {note}" for note in notes)))

    def _begun(self, job: TrainingJob) -> TrainingJob:
        now = self._around.clock()
        if job.status is not TrainingStatus.IN_PROGRESS:
            raise Interrupted
        if job.secondary is not SecondaryStatus.DOWNLOADING:
            job = job.enter(SecondaryStatus.STARTING, now, "Preparing the instances for training")
            job = job.enter(SecondaryStatus.DOWNLOADING, now, "Downloading input data")
        return job.evolve(started_at=job.started_at or now)

    def _staged(
        self, job: TrainingJob, channels: dict[str, dict[str, Path]], code: Path | None, grant: Grant
    ) -> contract.Staged:
        settings = self._around.settings
        return contract.Staged(
            folder=self._folder,
            hosts_channels=channels,
            code=code,
            cpus=job.threads or grant.threads,
            gpus=grant.gpus,
            notes=tuple(_notes(job, grant)),
            environment=self._around.client_environment,
            environments_folder=settings.environments_folder,
            fast_malloc=settings.fast_malloc,
            region=settings.region,
        )

    async def _watch(self) -> Exit:
        """From the script's start to its end."""
        launcher = self._around.launcher
        await asyncio.to_thread(self._update, self._trains)
        ending = asyncio.ensure_future(launcher.wait(self._folder))
        stopper = asyncio.create_task(self._stop_when_asked())
        keepers = [asyncio.create_task(keeping) for keeping in (*self._keepings(), self._keep_told())]
        try:
            ended = await ending
        finally:
            for task in (ending, stopper, *keepers):
                task.cancel()
            for result in await asyncio.gather(stopper, *keepers, return_exceptions=True):
                if isinstance(result, Exception):
                    _LOG.error("training job %s: %s", self._name, result, exc_info=result)
        return ended

    def _made_ready_again(self, ended: Exit) -> bool:
        """Whether the job is run once more, as its RetryStrategy has it after an end that was not its script's doing:
        what is left of the last attempt is removed, but for logs, and checkpoints that are stored."""
        job, around = self._job(), self._around
        again = ended.reason.startswith(INTERNAL) and job.attempts < job.spec.retries
        if not again or self._stopping.is_set() or job.status is not TrainingStatus.IN_PROGRESS:
            return False
        with self._log("algo-1") as say:
            say(f"sagehound: {ended.reason}")
            checkpoints = self._checkpoints(job)
            if checkpoints is not None:
                persistently(checkpoints.sync, self._closing, say, around.delays_s)
            say(f"sagehound: the job is run again, the {job.attempts + 1}. of {job.spec.retries} times at most")
        # The count first: a kill in between costs an attempt, never gives one too many.
        self._update(lambda job: job.evolve(attempts=job.attempts + 1, modified_at=around.clock()))
        self._clear()
        metrics.begin_again(self._folder)
        self._growing = None
        around.launcher.forget(self._folder)
        return True

    def _trains(self, job: TrainingJob) -> TrainingJob:
        if job.status is not TrainingStatus.IN_PROGRESS or job.secondary is not SecondaryStatus.DOWNLOADING:
            return job
        message = "Training image download completed. Training in progress."
        return job.enter(SecondaryStatus.TRAINING, self._around.clock(), message)

    async def _stop_when_asked(self) -> None:
        await self._stopping.wait()
        await asyncio.to_thread(self._around.launcher.stop, self._folder)

    def _keepings(self) -> Iterator[Coroutine[None, None, None]]:
        """What is stored again and again while the job runs."""
        job, around = self._job(), self._around
        checkpoints = self._checkpoints(job)
        if checkpoints is not None:
            yield self._keep("Checkpoints", checkpoints.sync, around.checkpoint_interval_s)
        for folder in self._growing_folders(job):
            yield self._keep_stored(folder)

    def _keep_stored(self, folder: GrowingFolder) -> Coroutine[None, None, None]:
        return self._keep(f"What goes to {folder.uri}", folder.sync, self._around.tensor_interval_s)

    async def _keep_told(self) -> None:
        """Pass on what an UpdateTrainingJob says; again after a restart, as the update may have come before."""
        job = await asyncio.to_thread(self._job)
        async with asyncio.TaskGroup() as group:
            known = self._growing_folders(job)
            while True:
                await asyncio.to_thread(self._tell, job)
                for folder in self._growing_folders(job)[len(known) :]:
                    group.create_task(self._keep_stored(folder))
                known = self._growing_folders(job)
                await self._news.wait()
                self._news.clear()
                job = await asyncio.to_thread(self._job)

    def _tell(self, job: TrainingJob) -> None:
        """Write the profiler's settings for the sampler and the scripts, where they are others."""
        try:
            sampling.tell(str(self._folder), job.spec.profiler_interval_ms)
            for host in self._hosts():
                configuration.write_profiler(self._folder / host / "input" / "config", job)
        except OSError as error:
            with self._log("algo-1") as say:
                say(f"The profiler could not be told of its new settings: {error}")

    async def _keep(self, what: str, sync: Callable[[], int], interval_s: float) -> None:
        troubled = False
        while True:
            await asyncio.sleep(interval_s)
            try:
                await asyncio.to_thread(sync)
                troubled = False
            except (ObjectStoreError, OSError) as error:
                # It is stored once more at the end, where a failure counts.
                if not troubled:
                    with self._log("algo-1") as say:
                        say(f"{what} could not be stored, it is tried again: {error}")
                troubled = True

    def _conclude(self, ended: Exit) -> None:
        """Store what the job left, and say how it ended."""
        try:
            job = self._update(self._uploads)
        except ServiceUnavailable:
            if ended.code == 0:
                raise
            # What a failed script left to be packed is often what fills the disk, and is not stored.
            for host in self._hosts():
                shutil.rmtree(self._folder / host / "model", ignore_errors=True)
                shutil.rmtree(self._folder / host / "output", ignore_errors=True)
            job = self._update(self._uploads)
        try:
            model = self._store_results(job, ended)
        except JobFailure as failure:
            kept = f"{failure.message}; what the job left is kept in {self._folder}"
            reason = f"{ended.reason}\n{kept}" if ended.reason else kept
            return self._end(TrainingStatus.FAILED, SecondaryStatus.FAILED, reason, keep=True)
        status, secondary = _outcome(job, ended)
        return self._end(status, secondary, ended.reason if status is TrainingStatus.FAILED else "", model)

    def _uploads(self, job: TrainingJob) -> TrainingJob:
        if job.secondary is SecondaryStatus.UPLOADING:
            return job
        return job.enter(SecondaryStatus.UPLOADING, self._around.clock(), "Uploading generated training model")

    def _store_results(self, job: TrainingJob, ended: Exit) -> str:
        """The model's address. Marks that all is stored, because the next step removes the files."""
        mark = self._folder / _UPLOADED
        if mark.exists():
            return str(json.loads(mark.read_text())["model"])
        around = self._around
        with self._log("algo-1") as say:
            checkpoints = self._checkpoints(job)
            if checkpoints is not None:
                persistently(checkpoints.sync, self._closing, say, around.delays_s)
            persistently(lambda: self._store_growing(job), self._closing, say, around.delays_s)
            if job.stop_reason:
                say(f"sagehound: stopped: {job.stop_reason}")
            try:
                model = persistently(
                    lambda: upload(around.objects, job, ended.artifacts), self._closing, say, around.delays_s
                )
            except OSError as error:
                raise JobFailure(
                    f"ClientError: the artifacts could not be stored in {job.spec.output_uri}: {error}"
                ) from error
        draft = mark.with_suffix(".draft")
        draft.write_text(json.dumps({"model": model}))
        draft.replace(mark)
        return model

    def _end(
        self, status: TrainingStatus, secondary: SecondaryStatus, reason: str, model: str = "", keep: bool = False
    ) -> None:
        found = metrics.final(self._folder)
        if not keep:
            self._clear()

        def end(job: TrainingJob) -> TrainingJob:
            if job.status.ended:
                return job
            now = self._around.clock()
            return job.enter(secondary, now, _farewell(job, secondary)).evolve(
                status=status,
                ended_at=now,
                failure_reason=_cut(reason),
                artifacts_uri=model,
                metrics=found,
            )

        self._update(end)

    def _clear(self) -> None:
        """Remove what the job worked with; its logs, metrics and exit record stay."""
        hosts = self._hosts()
        pythons = [python_folder(self._folder, host).name for host in hosts]
        for name in ("staged", "artifacts", sampling.FOLDER, *hosts, *pythons):
            self._around.trash.take(self._folder / name)

    def _hosts(self) -> list[str]:
        return contract.host_names(self._job().spec.instance_count)

    def _checkpoints(self, job: TrainingJob) -> Checkpoints | None:
        if not job.spec.checkpoint_uri:
            return None
        hosts = contract.host_names(job.spec.instance_count)
        folders = [contract.checkpoint_folder(job, self._folder / host) for host in hosts]
        return Checkpoints(self._around.objects, job.spec.checkpoint_uri, folders)

    def _growing_folders(self, job: TrainingJob) -> tuple[GrowingFolder, ...]:
        """They know what they have stored, so they are made once. A profile may be asked for later."""
        if self._growing is None:
            self._growing = growing_folders(job, self._folder, self._hosts(), self._around.objects)
        elif not self._profiled and job.spec.profiler_uri:
            self._growing += profile_folders(job, self._folder, self._hosts(), self._around.objects)
        self._profiled = bool(job.spec.profiler_uri)
        return self._growing

    def _store_growing(self, job: TrainingJob) -> None:
        """The last of it, and where tensors are looked for, that there will be no more."""
        for folder in self._growing_folders(job):
            folder.sync(over=True)
        if job.spec.tensors_uri and (job.spec.rules or job.spec.auto_hook or self._has_tensors(job)):
            mark = self._folder / _END_OF_TENSORS
            mark.write_text(json.dumps({"job": job.name, "at": self._around.clock()}))
            self._around.objects.put(mark, tensors_place(job) / _END_OF_TENSORS)

    def _has_tensors(self, job: TrainingJob) -> bool:
        folders = (contract.on_this_machine(job.spec.tensors_path, self._folder / host) for host in self._hosts())
        return any(folder.is_dir() for folder in folders)

    def _job(self) -> TrainingJob:
        return self._around.store.get(TrainingJob, self._name)

    def _update(self, change: Callable[[TrainingJob], TrainingJob]) -> TrainingJob:
        return self._around.store.update(TrainingJob, self._name, change)

    @contextlib.contextmanager
    def _log(self, host: str) -> Iterator[Callable[[str], None]]:
        """A pen for the job's log, which the launcher's own lines come after."""
        self._folder.mkdir(parents=True, exist_ok=True)
        writer = LineWriter(log_path(self._folder, host), self._around.clock)
        try:
            yield writer.say
        finally:
            writer.close()


_MESSAGES = {
    SecondaryStatus.COMPLETED: "Training job completed",
    SecondaryStatus.FAILED: "Training job failed",
    SecondaryStatus.STOPPED: "Training job stopped",
    SecondaryStatus.MAX_RUNTIME_EXCEEDED: "Training job runtime exceeded MaxRuntimeInSeconds",
}


def _farewell(job: TrainingJob, secondary: SecondaryStatus) -> str:
    why = job.stop_reason if secondary is SecondaryStatus.STOPPED else ""
    return f"{_MESSAGES[secondary]}: {why}" if why else _MESSAGES[secondary]


def _outcome(job: TrainingJob, ended: Exit) -> tuple[TrainingStatus, SecondaryStatus]:
    if ended.cause == "timed_out":
        return TrainingStatus.STOPPED, SecondaryStatus.MAX_RUNTIME_EXCEEDED
    if ended.cause == "stopped" or job.status is TrainingStatus.STOPPING:
        return TrainingStatus.STOPPED, SecondaryStatus.STOPPED
    if ended.code == 0:
        return TrainingStatus.COMPLETED, SecondaryStatus.COMPLETED
    return TrainingStatus.FAILED, SecondaryStatus.FAILED


def _notes(job: TrainingJob, grant: Grant) -> Iterator[str]:
    kind, hosts = job.spec.instance_type, job.spec.instance_count
    if gpus_of(kind) and not grant.gpus:
        yield f"{kind} has a GPU on AWS; this machine has none, so the job runs on its CPU"
    elif gpus_of(kind) * hosts > len(grant.gpus):
        each = len(contract.gpu_share(grant.gpus, 0, hosts))
        shared = ", which hosts share" if len(grant.gpus) < hosts else ""
        yield f"{kind} has {gpus_of(kind)} GPUs on AWS; each host has {each} here{shared}"


def _cut(reason: str) -> str:
    return reason if len(reason) <= _REASON_CHARACTERS else f"{reason[: _REASON_CHARACTERS - 3]}..."
