"""A tuning job run on a function, or on recorded curves, in simulated time: as many parallel trials as wanted, in
milliseconds."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

from sagehound.tuning.space import Values
from sagehound.tuning.strategy import Strategy
from sagehound.tuning.trial import Trial

#: What some values come to: the objective; or the curve that they print, an epoch after the other, whose last value
#: is the objective; or None for a trial that fails at its end.
Objective = Callable[[Values], float | Sequence[float] | None]
#: Hears of a trial whenever the strategy does, with the simulated time.
Watch = Callable[[float, Trial], None]


def simulate(
    make: Callable[[], Strategy],
    objective: Objective,
    *,
    trials: int,
    parallel: int = 1,
    duration_s: Callable[[int], float] = lambda number: 1.0,
    killed_at: frozenset[int] = frozenset(),
    watch: Watch = lambda now, trial: None,
) -> list[Trial]:
    """Run up to `trials` trials, `parallel` at a time, as they ended, by number. An epoch of trial k lasts
    `duration_s(k)` (the whole trial where it prints nothing); a trial ends where the strategy's verdict says so.

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
            known[number] = _advanced(strategy, known[number], objective(known[number].values))
            watch(now, known[number])
            if known[number].running:
                heapq.heappush(running, (now + duration_s(number), number))
    return list(known.values())


def _advanced(strategy: Strategy, trial: Trial, outcome: float | Sequence[float] | None) -> Trial:
    """The trial an epoch later, as the strategy was told."""
    number, values = trial.number, trial.values
    if outcome is None or isinstance(outcome, int | float):
        ended = Trial(number=number, values=values, objective=outcome)
    else:
        curve = tuple(outcome[: len(trial.curve) + 1])
        ended = Trial(number=number, values=values, objective=curve[-1] if curve else None, curve=curve)
        if len(curve) < len(outcome):
            going = Trial(number=number, values=values, running=True, curve=curve)
            strategy.tell(going)
            verdict = strategy.verdict(number)
            if verdict is None:
                return going
            ended = Trial(number=number, values=values, objective=curve[-1], curve=curve, stopped=not verdict.finished)
    strategy.tell(ended)
    return ended
