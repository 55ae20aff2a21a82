"""Random search: independent draws, each range on its scale, no combination twice while there are others."""

from __future__ import annotations

import random
from collections.abc import Container

from sagehound.tuning.space import Space, Values
from sagehound.tuning.trial import Trial
from sagehound.tuning.verdict import Verdict

#: After so many draws in a row that were all tried before, the combinations are gone through one by one.
_DRAWS = 1000


def key(values: Values) -> tuple[str, ...]:
    """What makes a combination the same as another; values come in the space's order."""
    return tuple(values.values())


def fresh(space: Space, source: random.Random, tried: Container[tuple[str, ...]]) -> Values | None:
    """A random combination that is not in `tried`, or None where a finite space has no other."""
    for _ in range(_DRAWS):
        values = space.at([source.random() for _ in space.ranges])
        if key(values) not in tried:
            return values
    if space.size is None:
        return values
    return next((values for values in space.combinations() if key(values) not in tried), None)


class RandomSearch:
    """Trial k is the k-th different combination of a random sequence that the seed alone decides, whatever was told.
    Where the space has fewer combinations than there are trials, the sequence begins again."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._source = random.Random(f"random search {seed}")  # text is hashed alike in every process
        self._drawn: dict[tuple[str, ...], Values] = {}
        self._sequence: list[Values] = []

    def ask(self, number: int) -> Values | None:
        """The number-th combination of the sequence."""
        while len(self._sequence) < number:
            values = fresh(self._space, self._source, self._drawn)
            if values is None:
                break
            self._drawn[key(values)] = values
            self._sequence.append(values)
        return dict(self._sequence[(number - 1) % len(self._sequence)])

    def tell(self, trial: Trial) -> None:
        """Only checks that the values are of the space: no result changes the sequence."""
        self._space.check(trial.values)

    def verdict(self, number: int) -> Verdict | None:
        """None: every trial runs to its end."""
        return None
