"""One trial of a search."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sagehound.errors import InvalidInput
from sagehound.tuning.space import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Trial `number` with its `values`: from 1 those of this search, below 1 those of earlier ones (a warm start).

    - `objective`: what it came to; None while it runs, or where it failed or nothing in its log matched.
    - `curve`: the objective as it was printed, one value a unit of resource (an epoch); it grows while the trial runs.
    - `stopped`: it ended before its end, by a verdict or by a person; its objective is what it had come to.

    Every number is finite, InvalidInput otherwise.
    """

    number: int
    values: Values
    objective: float | None = None
    running: bool = False
    curve: tuple[float, ...] = ()
    stopped: bool = False

    def __post_init__(self) -> None:
        if self.objective is not None and not math.isfinite(self.objective):
            raise InvalidInput(f"trial {self.number} has the objective {self.objective}; pass None for a failed trial")
        if not all(map(math.isfinite, self.curve)):
            raise InvalidInput(f"trial {self.number} has a curve with a number that is not finite; leave such ones out")

    @property
    def earlier(self) -> bool:
        """Whether it is of an earlier search."""
        return self.number < 1
