"""The process that samples the machine while a job runs.

It is forked from the shim when the scripts have started, and killed when they have ended. Nothing that it does can
hold up the shim: not a disk that hangs, not the library of a GPU's driver that crashes.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from sagehound.jobs import keeper, sampling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, NoReturn

#: After the first reading the next comes soon, so that a job that dies in its first second has a sample.
_FIRST_S = 0.1
#: How often a sampler that is switched off looks whether it is on again.
_OFF_S = 1.0


def start(folder: str, hosts: Sequence[Mapping[str, Any]], keepers: Sequence[int]) -> int:
    """Fork the sampler of the job in `folder`, whose hosts run below `keepers`; its process number, 0 where the system
    is not Linux."""
    if sys.platform != "linux":
        return 0
    shim = os.getpid()
    sampler = os.fork()
    if sampler == 0:
        _become(shim, folder, hosts, keepers)
    return sampler


def end(sampler: int) -> None:
    """Kill it. What it wrote is whole."""
    if sampler:
        os.kill(sampler, signal.SIGKILL)
        os.waitpid(sampler, 0)


def _become(shim: int, folder: str, hosts: Sequence[Mapping[str, Any]], keepers: Sequence[int]) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        keeper.die_with(shim, signal.SIGKILL)
        # The shim's lock and pipes above all; 0, 1 and 2 are the null device and shim.err.
        os.closerange(3, os.sysconf("SC_OPEN_MAX") if sys.platform != "linux" else 4096)
        sample(folder, hosts, keepers)
    except BaseException as problem:  # noqa: BLE001 - the job goes on without it
        _say(folder, str(hosts[0]["name"]), f"sagehound: the machine is not sampled any more: {problem!r}")
    finally:
        os._exit(0)


def sample(
    folder: str,
    hosts: Sequence[Mapping[str, Any]],
    keepers: Sequence[int],
    sleep: Callable[[float], None] = time.sleep,
    rounds: int = -1,
) -> None:
    """Write samples of every host as the job's file says, for so many `rounds` (-1: until killed)."""
    from sagehound.jobs.gpus import Gpus
    from sagehound.jobs.job_processes import JobProcesses
    from sagehound.jobs.machine import Machine
    from sagehound.jobs.samples import SampleFile

    told, machine = sampling.Told(folder), Machine()
    list(machine.samples())
    cores = os.cpu_count() or 1
    parts = [
        (
            SampleFile(f"{folder}/{sampling.FOLDER}/{host['name']}", host["name"]),
            JobProcesses(keeper, cores, machine.memory_bytes),
            Gpus([number for number in host["environment"].get("CUDA_VISIBLE_DEVICES", "").split(",") if number]),
        )
        for host, keeper in zip(hosts, keepers, strict=True)
    ]
    due = time.monotonic() + min(_FIRST_S, told.interval_s())
    while rounds:
        rounds -= 1
        interval_s = told.interval_s()
        # Often enough to hear of another interval before a long one is over.
        while interval_s and (left_s := min(due, time.monotonic() + interval_s) - time.monotonic()) > 0:
            sleep(min(left_s, _OFF_S))
            interval_s = told.interval_s()
        if not interval_s:
            sleep(_OFF_S)
            continue
        due = max(due + interval_s, time.monotonic())
        at_s, shared = time.time(), list(machine.samples())
        for file, processes, gpus in parts:
            file.write([*shared, *processes.samples(), *gpus.samples()], at_s)


def _say(folder: str, host: str, text: str) -> None:
    """A line in the job's log, where there is room for one."""
    from sagehound.jobs.lines import LineWriter

    try:
        LineWriter(f"{folder}/{host}.log").say(text)  # type: ignore[arg-type]
    except OSError:
        return
