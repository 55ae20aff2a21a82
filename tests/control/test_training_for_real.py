"""Real jobs: a real rclone, a real launcher, a real script."""

import asyncio
import contextlib
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from sagehound.control.training import TrainingLoop
from sagehound.errors import NotFound
from sagehound.jobs.logs import read_lines
from sagehound.jobs.process import ProcessLauncher
from sagehound.keys import load_keys
from sagehound.names import S3Uri
from sagehound.objects.embedded import EmbeddedObjects
from sagehound.objects.s3 import S3Objects
from sagehound.objects.server import EmbeddedServer
from sagehound.records.training import (
    Channel,
    MetricDefinition,
    SecondaryStatus,
    TrainingJob,
    TrainingSpec,
    TrainingStatus,
)
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore

SCRIPT = """
import argparse, os, time
from pathlib import Path
parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float, default=0)
parser.add_argument("--fail", type=int, default=0)
given = parser.parse_args()
print("data:", sorted(path.name for path in Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir()), flush=True)
Path("/opt/ml/model/model.bin").write_text("literal")
Path("/opt/ml/checkpoints/1.pt").write_text("checkpoint")
Path(os.environ["SM_OUTPUT_DATA_DIR"], "curve.txt").write_text("curve")
print("Test set: Average loss: 0.25", flush=True)
time.sleep(given.seconds)
if given.fail:
    raise ValueError("the learning rate is too high")
"""


class House:
    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, max_hosts=2)
        self.keys = load_keys(home)
        self.server = EmbeddedServer(self.settings, self.keys)
        self.remote = S3Objects(self.server.start(), "us-east-1", self.keys)
        self.objects = EmbeddedObjects(self.settings.s3_folder, self.remote)
        self.store = SqliteStore(home / "state.db")
        (home / "train.py").write_text(SCRIPT)
        with tarfile.open(home / "sourcedir.tar.gz", "w:gz") as archive:
            archive.add(home / "train.py", "train.py")
        self.objects.put(home / "sourcedir.tar.gz", S3Uri("bucket", "code/sourcedir.tar.gz"))
        self.objects.put(home / "train.py", S3Uri("bucket", "data/a.jpg"))

    def close(self) -> None:
        self.server.stop()
        self.store.close()

    def create(self, name: str, hosts: int = 1, **changes) -> None:
        hyperparameters = {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"s3://bucket/code/sourcedir.tar.gz"',
        }
        spec = TrainingSpec(
            output_uri="s3://bucket/out",
            instance_type="ml.m5.large",
            instance_count=hosts,
            checkpoint_uri=f"s3://bucket/checkpoints/{name}",
            channels=(Channel(name="train", uri="s3://bucket/data"),),
            metrics=(MetricDefinition(name="loss", regex=r"Average loss: ([0-9\.]+)"),),
            hyperparameters=hyperparameters | changes.pop("hyperparameters", {}),
            **changes,
        )
        now = time.time()
        job = TrainingJob(name=name, created_at=now, modified_at=now, arn=f"arn:{name}", spec=spec, document={})
        self.store.insert(job.enter(SecondaryStatus.PENDING, now, "Waiting"))

    def job(self, name: str) -> TrainingJob:
        return self.store.get(TrainingJob, name)

    def stop(self, name: str) -> None:
        self.store.update(
            TrainingJob,
            name,
            lambda job: job.enter(SecondaryStatus.STOPPING, time.time()).evolve(status=TrainingStatus.STOPPING),
        )

    def log(self, name: str, host: str = "algo-1") -> list[str]:
        return [line.text for line in read_lines(self.settings.jobs_folder / name, host)[0]]

    async def until(self, condition) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.01)

    async def ended(self, name: str) -> TrainingJob:
        await self.until(lambda: self.job(name).status.ended)
        return self.job(name)

    async def says(self, name: str, text: str) -> None:
        def said() -> bool:
            with contextlib.suppress(NotFound):
                return any(text in line for line in self.log(name))
            return False

        await self.until(said)

    def run(self, story, objects=None) -> None:
        async def both() -> None:
            launcher = ProcessLauncher(timeout_grace_s=1)
            around = (self.store, objects or self.objects, launcher, self.settings, time.time, {})
            task = asyncio.create_task(TrainingLoop(*around, gpus=(), checkpoint_interval_s=0.05).run())
            try:
                await story()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        asyncio.run(both())


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


@pytest.mark.parametrize("embedded", [True, False])
def test_a_job_reads_its_channel_and_leaves_its_results_in_s3(house, embedded):
    async def story():
        house.create("good")
        job = await house.ended("good")
        assert job.failure_reason == "" and job.status is TrainingStatus.COMPLETED, house.log("good")
        assert "data: ['a.jpg']" in house.log("good")
        assert [(metric.name, metric.value) for metric in job.metrics] == [("loss", 0.25)]
        house.remote.fetch(S3Uri.parse(job.artifacts_uri), house.settings.home / "back.tar.gz")
        with tarfile.open(house.settings.home / "back.tar.gz") as archive:
            assert archive.extractfile("model.bin").read() == b"literal"
        assert house.remote.read(S3Uri("bucket", "checkpoints/good/1.pt")) == b"checkpoint"
        assert len(house.remote.read(S3Uri("bucket", "out/good/output/output.tar.gz"))) > 20
        assert not (house.settings.jobs_folder / "good" / "algo-1").exists()

    house.run(story, None if embedded else house.remote)
    assert (house.settings.s3_folder / "bucket" / "data" / "a.jpg").exists()


def test_two_jobs_side_by_side_and_one_of_two_hosts(house):
    async def story():
        house.create("one", hyperparameters={"seconds": "0.5"})
        house.create("two", hyperparameters={"seconds": "0.5"})
        house.create("three", hosts=2)
        jobs = [await house.ended(name) for name in ("one", "two", "three")]
        assert [job.status for job in jobs] == [TrainingStatus.COMPLETED] * 3, [job.failure_reason for job in jobs]
        trained = [next(step for step in job.history if step.status is SecondaryStatus.TRAINING) for job in jobs]
        assert trained[1].started_at < trained[0].ended_at and trained[2].started_at > trained[1].ended_at
        assert "data: ['a.jpg']" in house.log("three", "algo-2")

    house.run(story)


def test_a_failing_script_a_stop_and_a_time_limit(house):
    async def story():
        house.create("bad", hyperparameters={"fail": "1"})
        job = await house.ended("bad")
        assert job.status is TrainingStatus.FAILED and "the learning rate is too high" in job.failure_reason
        house.create("long", hyperparameters={"seconds": "60"})
        house.create("late", hyperparameters={"seconds": "60"}, max_runtime_s=1)
        await house.says("long", "Average loss")
        house.stop("long")
        job = await house.ended("long")
        assert (job.status, job.secondary) == (TrainingStatus.STOPPED, SecondaryStatus.STOPPED) and job.artifacts_uri
        job = await house.ended("late")
        assert (job.status, job.secondary) == (TrainingStatus.STOPPED, SecondaryStatus.MAX_RUNTIME_EXCEEDED)
        assert job.artifacts_uri and job.metrics

    house.run(story)


SERVICE = """
import asyncio, sys, time
from pathlib import Path
from sagehound.control.training import TrainingLoop
from sagehound.jobs.process import ProcessLauncher
from sagehound.keys import load_keys
from sagehound.objects.embedded import EmbeddedObjects
from sagehound.objects.s3 import S3Objects
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore
home = Path(sys.argv[1])
settings = Settings(home=home, max_hosts=2)
objects = EmbeddedObjects(settings.s3_folder, S3Objects(sys.argv[2], "us-east-1", load_keys(home)))
store = SqliteStore(home / "state.db")
asyncio.run(TrainingLoop(store, objects, ProcessLauncher(), settings, time.time, {}).run())
"""


def test_a_job_survives_a_killed_service_and_runs_once(house):
    house.create("going", hyperparameters={"seconds": "2"})
    command = [sys.executable, "-c", SERVICE, str(house.settings.home), house.server.endpoint]
    with subprocess.Popen(command) as service:
        try:
            asyncio.run(house.says("going", "Average loss"))
        finally:
            service.kill()

    async def story():
        job = await house.ended("going")
        assert job.status is TrainingStatus.COMPLETED and job.artifacts_uri

    house.run(story)
    assert [line for line in house.log("going") if "Average loss" in line] == ["Test set: Average loss: 0.25"]
    assert json.loads((house.settings.jobs_folder / "going" / "uploaded.json").read_text())["model"]
