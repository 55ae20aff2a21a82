"""Every worker of one deployment of an endpoint, and which of them a request goes to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping

from sagehound.control.pool import Pool
from sagehound.control.together import together
from sagehound.errors import InvalidInput
from sagehound.records.invocation import Invocation, Reply


class Fleet:
    """Pools by variant. `weights` are the variants' shares of the requests that name no variant; `draw` returns a
    number from 0 up to 1."""

    def __init__(
        self, pools: Mapping[str, Pool], weights: Mapping[str, float], draw: Callable[[], float] = random.random
    ) -> None:
        self._pools = pools
        self._weights = weights
        self._draw = draw

    async def start(self) -> None:
        """Start every worker and see it answer; where one does not, end all and raise its JobFailure."""
        try:
            await together(pool.start() for pool in self._pools.values())
        except BaseException:
            await self.stop()
            raise

    async def invoke(self, invocation: Invocation) -> Reply:
        """The reply of a worker of the variant asked for, or of one chosen by weight; InvalidInput where there is
        no such variant, ServiceUnavailable where no worker becomes free in time."""
        return await self._pools[self.choose(invocation.variant)].invoke(invocation)

    def choose(self, asked: str = "") -> str:
        """The variant for a request that asks for `asked` (empty: any)."""
        if asked and asked not in self._pools:
            raise InvalidInput(f"variant {asked!r} does not exist; this endpoint has {', '.join(self._pools)}")
        if asked:
            return asked
        left = self._draw() * sum(self._weights.values())
        chosen = ""
        for name, weight in self._weights.items():
            if weight > 0:
                chosen, left = name, left - weight
                if left < 0:
                    break
        if not chosen:
            raise InvalidInput("every variant of this endpoint has the weight 0; name one as TargetVariant")
        return chosen

    async def drain(self) -> None:
        """Wait until no request is in hand."""
        await asyncio.gather(*(pool.drain() for pool in self._pools.values()))

    async def stop(self) -> None:
        """End every worker."""
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
