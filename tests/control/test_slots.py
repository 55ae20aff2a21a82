import asyncio
from pathlib import Path

import pytest

from sagehound.control.slots import Slots, gpus_of, gpus_present


async def turn() -> None:
    """Let what is due in the loop happen."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def run(story) -> None:
    asyncio.run(story())


def test_jobs_run_side_by_side_up_to_what_fits_and_share_the_cores():
    async def story():
        slots = Slots(hosts=2, cores=8)
        first, second, third = slots.request(1), slots.request(1), slots.request(1)
        await turn()
        assert first.granted.result().threads == second.granted.result().threads == 4
        assert not third.granted.done()
        slots.release(first)
        await turn()
        assert third.granted.result().threads == 4

    run(story)


def test_a_job_alone_has_all_cores():
    async def story():
        slots = Slots(hosts=4, cores=8)
        request = slots.request(1)
        await turn()
        assert request.granted.result().threads == 8

    run(story)


def test_small_jobs_do_not_pass_a_large_one():
    async def story():
        slots = Slots(hosts=2, cores=2)
        running = slots.request(1)
        await turn()
        large, small = slots.request(2), slots.request(1)
        await turn()
        assert not large.granted.done() and not small.granted.done()
        slots.release(running)
        await turn()
        assert large.granted.done() and not small.granted.done()
        slots.release(large)
        await turn()
        assert small.granted.done()

    run(story)


def test_a_job_of_more_hosts_than_there_are_runs_alone():
    async def story():
        slots = Slots(hosts=2, cores=2)
        running, huge, after = slots.request(1), slots.request(5), slots.request(1)
        await turn()
        assert not huge.granted.done()
        slots.release(running)
        await turn()
        assert huge.granted.result().threads == 1
        assert not after.granted.done()

    run(story)


def test_a_gpu_is_for_one_job_at_a_time():
    async def story():
        slots = Slots(hosts=4, cores=4, gpus=(0, 1))
        first, second, third = slots.request(1, 1), slots.request(1, 1), slots.request(1, 1)
        await turn()
        assert (first.granted.result().gpus, second.granted.result().gpus) == ((0,), (1,))
        assert not third.granted.done()
        slots.release(first)
        await turn()
        assert third.granted.result().gpus == (0,)

    run(story)


def test_every_host_has_gpus_of_its_own():
    async def story():
        slots = Slots(hosts=4, cores=4, gpus=(0, 1, 2))
        two_hosts, third = slots.request(2, gpus=1), slots.request(1, gpus=1)
        await turn()
        assert (two_hosts.granted.result().gpus, third.granted.result().gpus) == ((0, 1), (2,))

    run(story)


def test_no_more_gpus_are_waited_for_than_there_are():
    async def story():
        with_one, without = Slots(hosts=1, cores=1, gpus=(3,)), Slots(hosts=1, cores=1)
        requests = with_one.request(1, 8), without.request(1, 8)
        await turn()
        assert [request.granted.result().gpus for request in requests] == [(3,), ()]

    run(story)


def test_what_runs_already_is_counted_though_it_does_not_fit():
    async def story():
        slots = Slots(hosts=1, cores=1)
        running = [slots.take(1), slots.take(1)]
        waiting = slots.request(1)
        await turn()
        assert all(request.granted.done() for request in running) and not waiting.granted.done()
        for request in running:
            slots.release(request)
        await turn()
        assert waiting.granted.done()

    run(story)


def test_a_place_in_the_queue_can_be_given_up_twice():
    async def story():
        slots = Slots(hosts=1, cores=1)
        running, waiting = slots.request(1), slots.request(1)
        await turn()
        slots.release(waiting)
        slots.release(waiting)
        slots.release(running)
        await turn()
        assert not waiting.granted.done()

    run(story)


@pytest.mark.parametrize(
    ("kind", "count"), [("ml.p4d.24xlarge", 8), ("ml.g5.xlarge", 1), ("ml.c5.xlarge", 0), ("local", 0)]
)
def test_gpus_of_an_instance_type(kind, count):
    assert gpus_of(kind) == count


def test_gpus_are_counted_by_the_drivers_devices(tmp_path: Path):
    for name in ("nvidia0", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert gpus_present(tmp_path) == (0, 2, 10)
