"""A search run on a function in simulated time: as many parallel trials as wanted, in milliseconds."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from sagehound.tuning.space import Values
from sagehound.tuning.strategy import Strategy
from sagehound.tuning.trial import Trial

#: The objective of some values; None for a trial that fails.
Objective = Callable[[Values], float | None]


def simulate(
    make: Callable[[], Strategy],
    objective: Objective,
    *,
    trials: int,
    parallel: int = 1,
    duration_s: Callable[[int], float] = lambda number: 1.0,
    killed_at: frozenset[int] = frozenset(),
) -> list[Trial]:
    """Run up to `trials` trials, `parallel` at a time, trial k lasting `duration_s(k)`; all of them, by number.

    Before each trial in `killed_at` the strategy is thrown away, and a new one is told all that is known.
    """
    strategy, known = make(), dict[int, Trial]()
    running: list[tuple[float, int]] = []
    now, exhausted = 0.0, False
    while running or not exhausted:
        while len(running) < parallel and not exhausted:
            number = len(known) + 1
            if number in killed_at:
                strategy = make()
                for trial in known.values():
                    strategy.tell(trial)
            values = strategy.ask(number) if number <= trials else None
            exhausted = values is None
            if values is not None:
                known[number] = Trial(number=number, values=values, running=True)
                heapq.heappush(running, (now + duration_s(number), number))
        if running:
            now, number = heapq.heappop(running)
            values = known[number].values
            known[number] = Trial(number=number, values=values, objective=objective(values))
            strategy.tell(known[number])
    return list(known.values())
