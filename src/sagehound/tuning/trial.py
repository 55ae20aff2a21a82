"""One trial of a search."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sagehound.errors import InvalidInput
from sagehound.tuning.space import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Trial `number` (from 1) with its `values`. Ended (`running` False) without an `objective`: it failed, or nothing
    in its log matched. The objective is a finite number, InvalidInput otherwise."""

    number: int
    values: Values
    objective: float | None = None
    running: bool = False

    def __post_init__(self) -> None:
        if self.objective is not None and not math.isfinite(self.objective):
            raise InvalidInput(f"trial {self.number} has the objective {self.objective}; pass None for a failed trial")
