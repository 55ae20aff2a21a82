"""What a machine can run side by side, given out first come, first served."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

_GPU_INSTANCE = re.compile(r"ml\.(?:g|p)\d")
#: GPUs of the instance types that have more than one.
_GPUS = {
    "ml.p2.8xlarge": 8,
    "ml.p2.16xlarge": 16,
    "ml.p3.8xlarge": 4,
    "ml.p3.16xlarge": 8,
    "ml.p3dn.24xlarge": 8,
    "ml.p4d.24xlarge": 8,
    "ml.p4de.24xlarge": 8,
    "ml.p5.48xlarge": 8,
    "ml.p5e.48xlarge": 8,
    "ml.p5en.48xlarge": 8,
    "ml.g4dn.12xlarge": 4,
    "ml.g4dn.metal": 8,
    "ml.g5.12xlarge": 4,
    "ml.g5.24xlarge": 4,
    "ml.g5.48xlarge": 8,
    "ml.g6.12xlarge": 4,
    "ml.g6.24xlarge": 4,
    "ml.g6.48xlarge": 8,
    "ml.g6e.12xlarge": 4,
    "ml.g6e.24xlarge": 4,
    "ml.g6e.48xlarge": 8,
}


def gpus_of(instance_type: str) -> int:
    """How many GPUs an instance of this type has on AWS.

    >>> gpus_of("ml.g4dn.12xlarge"), gpus_of("ml.p3.2xlarge"), gpus_of("ml.m5.xlarge")
    (4, 1, 0)
    """
    return _GPUS.get(instance_type, 1 if _GPU_INSTANCE.match(instance_type) else 0)


def gpus_present(devices: Path = Path("/dev")) -> tuple[int, ...]:
    """The numbers of this machine's NVIDIA GPUs, as its driver shows them."""
    found = (re.fullmatch(r"nvidia(\d+)", path.name) for path in devices.glob("nvidia*"))
    return tuple(sorted(int(match[1]) for match in found if match))


@dataclass(frozen=True, slots=True)
class Grant:
    """What a job may use: threads for each of its hosts, and the numbers of the GPUs that they divide."""

    threads: int
    gpus: tuple[int, ...]


@dataclass(slots=True)
class Request:
    """A job's place in the queue; `granted` has its grant when its turn has come."""

    hosts: int
    gpus: int
    granted: asyncio.Future[Grant]
    held: tuple[int, ...] = field(default=())


class Slots:
    """Hosts side by side up to `hosts`, each GPU for one job at a time; to be used in one event loop.

    The queue is strictly first come, first served, so that a job of many hosts gets its turn however many small ones
    follow it. A job of more hosts than there are runs alone. The machine's `cores` are divided between the hosts that
    run side by side at the moment of the grant.
    """

    def __init__(self, hosts: int, cores: int, gpus: tuple[int, ...] = ()) -> None:
        self._hosts = hosts
        self._cores = cores
        self._gpus = gpus
        self._waiting: deque[Request] = deque()
        self._running: list[Request] = []
        self._due = False

    def request(self, hosts: int, gpus: int = 0) -> Request:
        """Queue for `hosts` and, each of them, `gpus` GPUs, of which no more are waited for than the machine has."""
        loop = asyncio.get_running_loop()
        request = Request(hosts, self._gpus_for(hosts, gpus), loop.create_future())
        self._waiting.append(request)
        self._pump_soon()
        return request

    def take(self, hosts: int, gpus: int = 0) -> Request:
        """Count in a job that runs already, whether it fits or not."""
        request = Request(hosts, self._gpus_for(hosts, gpus), asyncio.get_running_loop().create_future())
        self._start(request)
        request.granted.set_result(self._grant(request))
        return request

    def release(self, request: Request) -> None:
        """Give back what the job had, or its place in the queue. Idempotent."""
        if request in self._running:
            self._running.remove(request)
        elif request in self._waiting:
            self._waiting.remove(request)
        self._pump_soon()

    def _gpus_for(self, hosts: int, each: int) -> int:
        return min(hosts * each, len(self._gpus))

    def _pump_soon(self) -> None:
        # Not at once: jobs created in one moment share the cores from their start.
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._due = False
        begun = []
        while self._waiting and self._fits(self._waiting[0]):
            request = self._waiting.popleft()
            self._start(request)
            begun.append(request)
        for request in begun:
            if not request.granted.done():
                request.granted.set_result(self._grant(request))

    def _fits(self, request: Request) -> bool:
        free = self._hosts - sum(other.hosts for other in self._running)
        enough = request.hosts <= free or not self._running
        return enough and request.gpus <= len(self._free_gpus())

    def _start(self, request: Request) -> None:
        request.held = self._free_gpus()[: request.gpus]
        self._running.append(request)

    def _free_gpus(self) -> tuple[int, ...]:
        held = {gpu for other in self._running for gpu in other.held}
        return tuple(gpu for gpu in self._gpus if gpu not in held)

    def _grant(self, request: Request) -> Grant:
        side_by_side = sum(other.hosts for other in self._running)
        return Grant(max(1, self._cores // max(1, side_by_side)), request.held)
