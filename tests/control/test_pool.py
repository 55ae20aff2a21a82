"""The queue of a variant's pool, over a real worker that does not answer until it is told to."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from sagehound.control.pool import QUEUE_PER_WORKER, Pool, Seat
from sagehound.control.serving_process import Command
from sagehound.errors import ServiceUnavailable
from sagehound.records.invocation import Invocation

WAITS = "def model_fn(d):\n    return 1\ndef transform_fn(m, b, c, a):\n    return open(b.decode()).read()\n"


def _command(folder: Path) -> Command:
    code = folder / "model" / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(WAITS)
    return Command(
        variant="v",
        argv=(sys.executable, "-m", "sagehound.serve.worker", "--model-dir", str(folder / "model")),
        environment=dict(os.environ),
        folder=folder,
        failure=folder / "failure",
        log=folder / "v-1.log",
    )


def test_requests_wait_in_a_bounded_queue(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    (tmp_path / "plain").write_text("plain")

    async def story() -> None:
        pool = Pool([Seat(_command(tmp_path))])
        await pool.start()
        first = asyncio.create_task(pool.invoke(Invocation(endpoint="e", body=str(gate).encode())))
        plain = Invocation(endpoint="e", body=str(tmp_path / "plain").encode())
        waiting = [asyncio.create_task(pool.invoke(plain)) for _ in range(QUEUE_PER_WORKER)]
        await asyncio.sleep(0)
        with pytest.raises(ServiceUnavailable, match="InitialInstanceCount"):
            await pool.invoke(plain)
        waiting.pop().cancel()
        await asyncio.to_thread(gate.write_text, "open")
        await pool.drain()
        assert (await first).body == b"open"
        assert {(await task).body for task in waiting} == {b"plain"}
        await pool.stop()

    asyncio.run(story())


def test_stop_tells_those_who_wait(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    async def story() -> None:
        pool = Pool([Seat(_command(tmp_path))])
        await pool.start()
        call = Invocation(endpoint="e", body=str(gate).encode())
        first, second = (asyncio.create_task(pool.invoke(call)) for _ in range(2))
        await asyncio.sleep(0)
        await asyncio.to_thread(gate.write_text, "open")
        await first
        third = asyncio.create_task(pool.invoke(call))
        await asyncio.sleep(0)
        await pool.stop()
        with pytest.raises(ServiceUnavailable):
            await third
        assert (await second).status == 500

    asyncio.run(story())
