"""The tuning loop on a real store, with trials that end at once."""

import asyncio
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from sagehound.control.tuning import TuningLoop
from sagehound.records.record import Record
from sagehound.records.training import TrainingJob
from sagehound.records.tuning import ParameterRange, TuningJob, TuningStatus
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore
from tests.control.tuning_jobs import NOW, complete, difficulty, train_at_once, trials, tuning_job

DEADLINE_S = 60.0


@pytest.fixture
def store(tmp_path: Path):
    store = SqliteStore(tmp_path / "records.db")
    yield store
    store.close()


def awaited(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(*arguments: Any, **keywords: Any) -> None:
        asyncio.run(test(*arguments, **keywords))

    return run


async def run_until_ended(
    store: SqliteStore, tmp_path: Path, *jobs: TuningJob, there: tuple[str, ...] = ()
) -> list[TuningJob]:
    """Run the loop, hand it `jobs`, and give them back when all have ended, and those that are `there` already."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def noticed(record: Record) -> None:
        if isinstance(record, TuningJob) and record.status.ended:
            loop.call_soon_threadsafe(lambda: all_ended() and ended.set())

    def all_ended() -> bool:
        return all(store.get(TuningJob, name).status.ended for name in (*there, *(job.name for job in jobs)))

    store.watch(noticed)
    working = asyncio.create_task(TuningLoop(store, Settings(home=tmp_path), lambda: NOW).run())
    await asyncio.sleep(0)
    for job in jobs:
        await asyncio.to_thread(store.insert, job)
    await asyncio.wait_for(ended.wait(), DEADLINE_S)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    return [store.get(TuningJob, job.name) for job in jobs]


@awaited
async def test_a_job_that_is_inserted_is_run(store, tmp_path):
    train_at_once(store)
    (job,) = await run_until_ended(store, tmp_path, tuning_job(max_jobs=15))
    assert job.status is TuningStatus.COMPLETED
    assert len(trials(store)) == 15


@awaited
async def test_tuning_jobs_run_side_by_side(store, tmp_path):
    train_at_once(store)
    jobs = await run_until_ended(store, tmp_path, tuning_job("one"), tuning_job("two", strategy="Random"))
    assert [job.status for job in jobs] == [TuningStatus.COMPLETED] * 2
    assert [len(trials(store, name)) for name in ("one", "two")] == [4, 4]


@awaited
async def test_a_search_that_cannot_be_fails_with_the_reason_and_the_loop_goes_on(store, tmp_path):
    train_at_once(store)
    bad = ParameterRange(name="lr", type="Integer", low="1.5", high="3")
    failed, fine = await run_until_ended(store, tmp_path, tuning_job("bad", ranges=(bad,)), tuning_job("fine"))
    assert failed.status is TuningStatus.FAILED
    assert "'1.5' is not a whole number" in failed.failure_reason
    assert fine.status is TuningStatus.COMPLETED


@awaited
async def test_what_was_unfinished_at_the_start_is_taken_up(store, tmp_path):
    store.insert(tuning_job(max_jobs=6))
    loop = TuningLoop(store, Settings(home=tmp_path), lambda: NOW)
    made = asyncio.Event()
    running = asyncio.get_running_loop()

    def noticed(record: Record) -> None:
        if record.name.startswith("dogs-002"):  # The last that is made before one ends.
            running.call_soon_threadsafe(made.set)

    store.watch(noticed)
    first = asyncio.create_task(loop.run())
    await asyncio.wait_for(made.wait(), DEADLINE_S)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    for trial in trials(store):
        complete(store, trial.name)  # while no loop is there to hear of it
    train_at_once(store)
    second = tuning_job("other")
    await run_until_ended(store, tmp_path, second, there=("dogs",))
    assert [trial.name[:8] for trial in trials(store)][-1] == "dogs-006"


@awaited
async def test_a_stop_ends_a_tuning_job_whose_trials_run(store, tmp_path):
    running = asyncio.get_running_loop()
    started = asyncio.Event()

    def noticed(record: Record) -> None:
        if isinstance(record, TrainingJob) and record.status == "InProgress":
            running.call_soon_threadsafe(started.set)
        elif isinstance(record, TrainingJob) and record.status == "Stopping":
            complete(store, record.name)

    store.watch(noticed)
    ending = asyncio.create_task(run_until_ended(store, tmp_path, tuning_job(max_jobs=100)))
    await asyncio.wait_for(started.wait(), DEADLINE_S)
    store.update(TuningJob, "dogs", lambda job: job.evolve(status=TuningStatus.STOPPING))
    (job,) = await ending
    assert job.status is TuningStatus.STOPPED
    assert len(trials(store)) == 2


@awaited
async def test_time_runs_out_without_any_event(store, tmp_path):
    store.watch(lambda record: stop_at_once(store, record))
    began = time.time()
    loop = TuningLoop(store, Settings(home=tmp_path), lambda: NOW + 0.9 + time.time() - began)
    store.insert(tuning_job(max_runtime_s=1))
    working = asyncio.create_task(loop.run())
    deadline = time.monotonic() + DEADLINE_S
    while not store.get(TuningJob, "dogs").status.ended and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert "2 were stopped" in store.get(TuningJob, "dogs").failure_reason


def stop_at_once(store: SqliteStore, record: Record) -> None:
    if isinstance(record, TrainingJob) and record.status == "Stopping":
        complete(store, record.name)


SERVICE = """
import asyncio, sys, threading
from pathlib import Path
from sagehound.control.tuning import TuningLoop
from sagehound.settings import Settings
from sagehound.store.sqlite import SqliteStore
from tests.control.tuning_jobs import complete, train_at_once, trials
folder = Path(sys.argv[1])
store = SqliteStore(folder / "records.db")
for trial in trials(store):
    complete(store, trial.name)
train_at_once(store)
asyncio.run(TuningLoop(store, Settings(home=folder), lambda: 1.0).run())
"""


def test_kill_9_again_and_again_gives_the_trials_of_an_unbroken_run(store, tmp_path):
    """One trial at a time, so that what is known when a trial is asked is the same however often it is killed."""
    store.insert(tuning_job(max_jobs=30, max_parallel=1))
    deaths, deadline = 0, time.monotonic() + DEADLINE_S
    while not store.get(TuningJob, "dogs").status.ended:
        assert time.monotonic() < deadline
        service = start(tmp_path)
        goal = min(len(trials(store)) + 9, 30)
        while len(trials(store)) < goal and time.monotonic() < deadline:
            assert service.poll() is None, service.communicate()
            time.sleep(0.002)
        if goal == 30:
            wait_until_ended(store, deadline)
        service.send_signal(signal.SIGKILL)
        service.communicate()
        deaths += 1
    assert deaths >= 3
    unbroken = SqliteStore(tmp_path / "unbroken.db")
    train_at_once(unbroken, difficulty)
    unbroken.insert(tuning_job(max_jobs=30, max_parallel=1))
    asyncio.run(run_loop_once(unbroken, tmp_path))
    assert [(t.name, t.tuned, t.metrics[0].value) for t in trials(store)] == [
        (t.name, t.tuned, t.metrics[0].value) for t in trials(unbroken)
    ]
    unbroken.close()


def start(folder: Path) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", SERVICE, str(folder)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def wait_until_ended(store: SqliteStore, deadline: float) -> None:
    while not store.get(TuningJob, "dogs").status.ended and time.monotonic() < deadline:
        time.sleep(0.005)


async def run_loop_once(store: SqliteStore, folder: Path) -> None:
    working = asyncio.create_task(TuningLoop(store, Settings(home=folder), lambda: NOW).run())
    deadline = time.monotonic() + DEADLINE_S
    while not store.get(TuningJob, "dogs").status.ended and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
