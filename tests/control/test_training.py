import asyncio
import json
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sagehound.control.training import TrainingLoop
from sagehound.errors import JobFailure, ObjectStoreError, ServiceUnavailable
from sagehound.jobs.launcher import Exit
from sagehound.jobs.logs import read_lines
from sagehound.names import S3Uri
from sagehound.records.training import Channel, SecondaryStatus, TrainingJob, TrainingSpec, TrainingStatus
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore
from sagehound.testing.folder_store import FolderStore
from sagehound.testing.memory_launcher import MemoryLauncher

LIVING = SecondaryStatus.PENDING, SecondaryStatus.STARTING, SecondaryStatus.DOWNLOADING, SecondaryStatus.TRAINING


class House:
    """A loop over real records and objects, whose jobs end when the test says so."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, max_hosts=2)
        self.store = SqliteStore(home / "state.db")
        self.objects: FolderStore = FolderStore(home / "s3", shows_folders=False)
        self.launcher = MemoryLauncher()
        self._now = 1000.0
        code = home / "train.py"
        code.write_text("print('hello')")
        with tarfile.open(home / "sourcedir.tar.gz", "w:gz") as archive:
            archive.add(code, "train.py")
        self.objects.put(home / "sourcedir.tar.gz", S3Uri("bucket", "code/sourcedir.tar.gz"))
        self.objects.put(code, S3Uri("bucket", "data/a.txt"))

    def clock(self) -> float:
        self._now += 1
        return self._now

    def loop(self) -> TrainingLoop:
        return TrainingLoop(
            self.store,
            self.objects,
            self.launcher,
            self.settings,
            self.clock,
            {"AWS_REGION": "us-east-1"},
            gpus=(),
            retry_s=0,
            delays_s=(0, 0),
            checkpoint_interval_s=0.01,
            tensor_interval_s=0.01,
        )

    def create(self, name: str = "job", **changes) -> None:
        tuned = changes.pop("tuned", {})
        spec = TrainingSpec(
            output_uri="s3://bucket/out/",
            instance_type=changes.pop("instance_type", "ml.m5.large"),
            hyperparameters={
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": '"s3://bucket/code/sourcedir.tar.gz"',
                **tuned,
            },
            channels=changes.pop("channels", (Channel(name="train", uri="s3://bucket/data"),)),
            **changes,
        )
        now = self.clock()
        job = TrainingJob(
            name=name, created_at=now, modified_at=now, arn=f"arn:{name}", spec=spec, document={}, tuned=tuned
        )
        self.store.insert(job.enter(SecondaryStatus.PENDING, now, "Waiting"))

    def job(self, name: str = "job") -> TrainingJob:
        return self.store.get(TrainingJob, name)

    def folder(self, name: str = "job") -> Path:
        return self.settings.jobs_folder / name

    def stop(self, name: str = "job") -> None:
        def stopping(job: TrainingJob) -> TrainingJob:
            entered = job.enter(SecondaryStatus.STOPPING, self.clock(), "Stopping the training job")
            return entered.evolve(status=TrainingStatus.STOPPING)

        self.store.update(TrainingJob, name, stopping)

    def finish(self, name: str = "job", code: int = 0, cause: str = "exited", reason: str = "") -> None:
        """The job ends, and leaves a model and a metric."""
        folder = self.folder(name)
        model = folder / "artifacts" / "model.tar.gz"
        model.parent.mkdir()
        model.write_bytes(b"model")
        (folder / "metrics.jsonl").write_text('{"name": "loss", "value": 0.5, "at": 5.0}\n')
        ended = Exit(code=code, cause=cause, reason=reason, started_at=1.0, ended_at=2.0, artifacts={"model": model})
        self.launcher.finish(folder, ended)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.005)

    async def trains(self, name: str = "job") -> None:
        await self.until(lambda: self.job(name).secondary is SecondaryStatus.TRAINING)

    async def ended(self, name: str = "job") -> TrainingJob:
        await self.until(lambda: self.job(name).status.ended)
        return self.job(name)

    def run(self, story: Callable[[], object]) -> None:
        """The story beside a running loop."""

        async def both() -> None:
            task = asyncio.create_task(self.loop().run())
            try:
                await story()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        asyncio.run(both())

    def log(self, name: str = "job") -> list[str]:
        return [line.text for line in read_lines(self.folder(name), "algo-1")[0]]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.store.close()


def test_a_job_goes_through_its_statuses(house):
    async def story():
        house.create()
        await house.trains()
        house.finish()
        job = await house.ended()
        assert (job.status, job.secondary) == (TrainingStatus.COMPLETED, SecondaryStatus.COMPLETED)
        assert [(step.status.value, step.message) for step in job.history] == [
            ("Pending", "Waiting"),
            ("Starting", "Preparing the instances for training"),
            ("Downloading", "Downloading input data"),
            ("Training", "Training image download completed. Training in progress."),
            ("Uploading", "Uploading generated training model"),
            ("Completed", "Training job completed"),
        ]
        assert all(step.ended_at is not None for step in job.history)
        assert job.created_at < job.started_at < job.ended_at
        assert job.artifacts_uri == "s3://bucket/out/job/output/model.tar.gz"
        assert house.objects.read(S3Uri.parse(job.artifacts_uri)) == b"model"
        assert [(metric.name, metric.value) for metric in job.metrics] == [("loss", 0.5)]

    house.run(story)


def test_what_an_ended_job_worked_with_is_removed_and_its_log_stays(house):
    async def story():
        house.create()
        await house.trains()
        assert (house.folder() / "staged").exists() and (house.folder() / "algo-1").exists()
        house.finish()
        await house.ended()
        left = {path.name for path in house.folder().iterdir()}
        assert left == {"algo-1.log", "metrics.jsonl", "sampling.json", "uploaded.json"}

    house.run(story)


def test_a_failing_script_fails_the_job_with_its_reason(house):
    async def story():
        house.create()
        await house.trains()
        house.finish(code=1, reason="ValueError: x" + "y" * 2000)
        job = await house.ended()
        assert (job.status, job.secondary) == (TrainingStatus.FAILED, SecondaryStatus.FAILED)
        assert job.failure_reason.startswith("ValueError: x") and len(job.failure_reason) == 1024

    house.run(story)


class FullDisk(SqliteStore):
    """Cannot write while `filler` is there."""

    filler: Path

    def update(self, kind, name, change):
        if self.filler.exists():
            raise ServiceUnavailable("state.db cannot be written (database or disk is full)")
        return super().update(kind, name, change)


def test_a_script_that_filled_the_disk_ends_with_its_own_reason(house):
    house.store.close()
    house.store = FullDisk(house.settings.home / "full.db")
    house.store.filler = house.folder() / "algo-1" / "model" / "big"

    async def story():
        house.create()
        await house.trains()
        house.store.filler.write_bytes(b"0" * 100)
        house.finish(code=1, reason="OSError: [Errno 28] No space left on device")
        job = await house.ended()
        assert job.failure_reason == "OSError: [Errno 28] No space left on device"

    house.run(story)


def test_too_long_a_job_is_stopped_and_its_model_kept(house):
    async def story():
        house.create()
        await house.trains()
        house.finish(code=-15, cause="timed_out", reason="too long")
        job = await house.ended()
        assert (job.status, job.secondary) == (TrainingStatus.STOPPED, SecondaryStatus.MAX_RUNTIME_EXCEEDED)
        assert job.artifacts_uri and not job.failure_reason

    house.run(story)


def test_missing_data_fails_the_job_before_it_starts(house):
    async def story():
        house.create(channels=(Channel(name="train", uri="s3://bucket/nothing"),))
        job = await house.ended()
        assert job.status is TrainingStatus.FAILED and "s3://bucket/nothing" in job.failure_reason
        assert house.launcher.launches == {}
        assert {path.name for path in house.folder().iterdir()} == {"algo-1.log"}

    house.run(story)


def test_a_running_job_is_stopped(house):
    async def story():
        house.create()
        await house.trains()
        house.stop()
        await house.until(lambda: house.launcher.stopped == [house.folder()])
        house.finish(code=-15, cause="stopped")
        job = await house.ended()
        assert (job.status, job.secondary) == (TrainingStatus.STOPPED, SecondaryStatus.STOPPED)
        assert [step.status.value for step in job.history][-3:] == ["Stopping", "Uploading", "Stopped"]
        assert job.artifacts_uri

    house.run(story)


def test_a_waiting_job_is_stopped_and_gives_up_its_place(house):
    async def story():
        for name in ("a", "b", "c", "d"):
            house.create(name)
        await house.trains("a")
        await house.trains("b")
        house.stop("c")
        job = await house.ended("c")
        assert job.status is TrainingStatus.STOPPED and job.started_at is None and not job.artifacts_uri
        house.finish("a")
        await house.trains("d")

    house.run(story)


class Slow(FolderStore):
    """A store whose every fetch lasts until the test lets it go on."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, shows_folders=False)
        self.reached, self.go_on = threading.Event(), threading.Event()

    def fetch(self, uri: S3Uri, path: Path) -> None:
        self.reached.set()
        assert self.go_on.wait(20)
        super().fetch(uri, path)


def test_a_downloading_job_is_stopped(house):
    house.objects = slow = Slow(house.settings.s3_folder)

    async def story():
        house.create()
        await house.until(slow.reached.is_set)
        house.stop()
        await asyncio.sleep(0)
        slow.go_on.set()
        job = await house.ended()
        assert job.status is TrainingStatus.STOPPED and house.launcher.launches == {}
        assert [step.status.value for step in job.history][-3:] == ["Downloading", "Stopping", "Stopped"]

    house.run(story)


class Away(FolderStore):
    """A store that fails so many uploads."""

    failures = 0

    def put(self, path: Path, uri: S3Uri) -> None:
        if self.failures:
            self.failures -= 1
            raise ObjectStoreError(f"{uri}: out of reach")
        super().put(path, uri)


@pytest.mark.parametrize(("failures", "status"), [(2, TrainingStatus.COMPLETED), (3, TrainingStatus.FAILED)])
def test_uploads_are_tried_again_and_what_cannot_be_stored_is_kept(house, failures, status):
    house.objects = store = Away(house.settings.s3_folder, shows_folders=False)

    async def story():
        house.create()
        await house.trains()
        store.failures = failures
        house.finish()
        job = await house.ended()
        assert job.status is status
        if status is TrainingStatus.FAILED:
            assert "out of reach" in job.failure_reason and str(house.folder()) in job.failure_reason
            assert (house.folder() / "artifacts" / "model.tar.gz").exists()

    house.run(story)


def test_fifty_jobs_run_two_at_a_time_in_their_order(house):
    order = []

    async def story():
        for number in range(50):
            house.create(f"job-{number:02d}")
        while len(order) < 50:
            await house.until(lambda: len(house.launcher.launches) > len(order))
            begun = [folder.name for folder in house.launcher.launches if folder.name not in order]
            assert len(begun) <= 2
            await house.trains(begun[0])
            house.finish(begun[0])
            order.append(begun[0])
            await house.ended(begun[0])

    house.run(story)
    # Two that begin in one moment may pass each other, no more.
    assert all(abs(place - int(name[-2:])) <= 1 for place, name in enumerate(order))


def test_the_next_service_takes_over_what_runs_and_what_waits(house):
    async def first():
        for name in ("a", "b", "c"):
            house.create(name)
        await house.trains("a")
        await house.trains("b")

    async def second():
        house.finish("a")
        assert (await house.ended("a")).status is TrainingStatus.COMPLETED
        await house.trains("c")
        house.finish("b")
        assert (await house.ended("b")).status is TrainingStatus.COMPLETED
        assert len(house.launcher.launches) == 3

    house.run(first)
    assert house.job("a").status is TrainingStatus.IN_PROGRESS
    house.run(second)


def test_a_kill_between_the_upload_and_the_last_word_loses_nothing(house):
    async def first():
        house.create()
        await house.trains()

    async def second():
        (house.folder() / "uploaded.json").write_text('{"model": "s3://bucket/out/job/output/model.tar.gz"}')
        ended = Exit(code=0, cause="exited", reason="", started_at=1, ended_at=2, artifacts={"model": Path("/gone")})
        house.launcher.finish(house.folder(), ended)
        job = await house.ended()
        assert (job.status, job.artifacts_uri) == (
            TrainingStatus.COMPLETED,
            "s3://bucket/out/job/output/model.tar.gz",
        )

    house.run(first)
    house.run(second)


def test_a_stop_asked_while_no_service_ran_is_obeyed(house):
    async def first():
        house.create()
        await house.trains()

    async def second():
        await house.until(lambda: house.launcher.stopped)

    house.run(first)
    house.stop()
    house.run(second)


def test_checkpoints_come_down_first_and_are_stored_while_the_job_runs(house, tmp_path):
    (tmp_path / "1.pt").write_text("one")
    house.objects.put(tmp_path / "1.pt", S3Uri("bucket", "ckpt/1.pt"))

    async def story():
        house.create(checkpoint_uri="s3://bucket/ckpt", checkpoint_path="/opt/ml/mine")
        await house.trains()
        folder = house.folder() / "algo-1" / "mine"
        assert (folder / "1.pt").read_text() == "one"
        (folder / "2.pt").write_text("two")
        await house.until((house.settings.s3_folder / "bucket" / "ckpt" / "2.pt").exists)
        (folder / "3.pt").write_text("three")
        house.finish()
        await house.ended()
        assert house.objects.read(S3Uri("bucket", "ckpt/3.pt")) == b"three"

    house.run(story)


def test_tensors_are_stored_while_it_runs_and_their_end_is_marked(house):
    async def story():
        house.create(
            tensors_uri="s3://bucket/tensors", tensorboard_uri="s3://bucket/board", auto_hook=True, instance_count=2
        )
        await house.trains()
        stored = house.settings.s3_folder / "bucket" / "tensors" / "job" / "debug-output"
        for number in (1, 2):
            folder = house.folder() / f"algo-{number}" / "output" / "tensors"
            folder.mkdir(parents=True)
            (folder / f"{number}.safetensors").write_text(str(number))
            await house.until((stored / f"{number}.safetensors").exists)
        assert not (stored / "END_OF_JOB.json").exists()
        board = house.folder() / "algo-1" / "output" / "tensorboard"
        board.mkdir()
        (board / "events").write_text("last")
        house.finish()
        await house.ended()
        assert (stored / "END_OF_JOB.json").exists()
        assert house.objects.read(S3Uri("bucket", "board/job/tensorboard-output/events")) == b"last"

    house.run(story)


def test_a_job_that_saved_no_tensors_leaves_no_mark(house):
    async def story():
        house.create(tensors_uri="s3://bucket/tensors")
        await house.trains()
        house.finish()
        await house.ended()
        assert not (house.settings.s3_folder / "bucket" / "tensors").exists()

    house.run(story)


def test_profiles_are_stored_while_it_runs_and_an_update_reaches_the_job(house):
    async def story():
        house.create(profiler={"ProfilingIntervalInMilliseconds": 500}, profiler_interval_ms=500)
        await house.trains()
        told = house.folder() / "sampling.json"
        assert json.loads(told.read_text()) == {"interval_ms": 500}

        def updated(job):
            changes = {"profiler_uri": "s3://bucket/profiles", "profiler_interval_ms": 100, "profiler": {"New": 1}}
            return job.evolve(spec=replace(job.spec, **changes))

        house.store.update(TrainingJob, "job", updated)
        await house.until(lambda: json.loads(told.read_text()) == {"interval_ms": 100})
        config = house.folder() / "algo-1" / "input" / "config" / "profilerconfig.json"
        await house.until(lambda: json.loads(config.read_text()) == {"New": 1})
        stored = house.settings.s3_folder / "bucket" / "profiles" / "job" / "profiler-output"
        samples = house.folder() / "profiler" / "algo-1" / "system" / "incremental" / "202611222315"
        samples.mkdir(parents=True)
        (samples / "1.algo-1.json").write_text("{}")
        await house.until((stored / "system" / "incremental" / "202611222315" / "1.algo-1.json").exists)
        timeline = house.folder() / "algo-1" / "output" / "profiler" / "framework"
        timeline.mkdir(parents=True)
        (timeline / "facts.json").write_text("{}")
        house.finish()
        await house.ended()
        assert (stored / "framework" / "facts.json").exists()
        assert not (house.folder() / "profiler").exists()

    house.run(story)


def test_who_stopped_a_job_is_said_at_its_end(house):
    async def story():
        house.create()
        await house.trains()
        house.store.update(TrainingJob, "job", lambda job: job.asked_to_stop(house.clock(), "the rule Overfit fired"))
        await house.until(lambda: house.launcher.stopped)
        house.finish(cause="stopped")
        job = await house.ended()
        assert job.history[-1].message == "Training job stopped: the rule Overfit fired"

    house.run(story)


class Refusing(MemoryLauncher):
    """A launcher that cannot start anything."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def start(self, launch) -> None:
        raise self.error


@pytest.mark.parametrize("error", [JobFailure("no shim"), RuntimeError("no shim")])
def test_a_launcher_that_fails_fails_the_job_and_not_the_loop(house, error):
    house.launcher = Refusing(error)

    async def story():
        house.create()
        assert "no shim" in (await house.ended()).failure_reason
        house.create("next")
        assert (await house.ended("next")).status is TrainingStatus.FAILED

    house.run(story)


def test_a_gpu_instance_on_a_machine_without_one_is_said_and_threads_are_shared(house):
    async def story():
        house.create(instance_type="ml.p3.8xlarge", instance_count=2)
        await house.trains()
        launch = house.launcher.launches[house.folder()]
        assert any("ml.p3.8xlarge has a GPU on AWS" in note for note in launch.notes)
        assert [host.name for host in launch.hosts] == ["algo-1", "algo-2"]
        assert all(int(host.environment["OMP_NUM_THREADS"]) >= 1 for host in launch.hosts)

    house.run(story)


LOST = "InternalServerError: the process that supervised the job is gone without a record"


def trainings(house: House) -> int:
    """How often the script was started."""
    return [step.status.value for step in house.job().history].count("Training")


def test_a_job_that_the_machine_lost_is_run_again_as_often_as_was_asked(house):
    async def story():
        house.create(retries=2, checkpoint_uri="s3://bucket/ckpt")
        for attempt in (1, 2):
            await house.until(lambda: trainings(house) == attempt)  # noqa: B023
            (house.folder() / "algo-1" / "checkpoints" / "last").write_text(f"epoch {attempt}")
            house.finish(code=-9, cause="lost", reason=LOST)
            await house.until(lambda: house.job().attempts == attempt)  # noqa: B023
        await house.until(lambda: trainings(house) == 3)
        assert (house.folder() / "algo-1" / "checkpoints" / "last").read_text() == "epoch 2"
        house.finish()
        job = await house.ended()
        assert (job.status, job.attempts) == (TrainingStatus.COMPLETED, 2)
        assert [step.status.value for step in job.history].count("Starting") == 3
        assert sum("the job is run again" in line for line in house.log()) == 2

    house.run(story)


@pytest.mark.parametrize(
    ("retries", "reason"), [(0, LOST), (3, 'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "x"')]
)
def test_without_a_retry_strategy_and_for_a_fault_of_the_script_it_is_not(house, retries, reason):
    async def story():
        house.create(retries=retries)
        await house.trains()
        house.finish(code=1, reason=reason)
        job = await house.ended()
        assert (job.status, job.attempts, job.failure_reason) == (TrainingStatus.FAILED, 0, reason)
        assert job.failed_internally is reason.startswith("Internal")

    house.run(story)


def test_the_last_attempt_that_is_lost_fails_the_job(house):
    async def story():
        house.create(retries=1)
        for attempt in (1, 2):
            await house.until(lambda: trainings(house) == attempt)  # noqa: B023
            house.finish(code=-9, cause="lost", reason=LOST)
        assert (await house.ended()).failure_reason == LOST

    house.run(story)


def test_values_that_a_script_does_not_read_open_its_log(house):
    async def story():
        house.create(tuned={"depth": "3"})
        await house.trains()
        note = "no file of the code mentions depth; its value 3 may not be used"
        assert house.job().notes == (note,)
        assert f"sagehound: {note}" in house.launcher.launches[house.folder()].notes

    house.run(story)
