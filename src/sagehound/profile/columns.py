"""Columns of numbers that grow without being copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

_ROWS = 1 << 18


class Columns:
    """Rows are added at the end; what was given out stays as it was."""

    def __init__(self, *kinds: type) -> None:
        self._kinds = kinds
        self._blocks: list[list[np.ndarray]] = [[] for _ in kinds]
        self._used = self._room = 0

    def __len__(self) -> int:
        return sum(map(len, self.column(0)))

    def __bool__(self) -> bool:
        return bool(self._blocks[0])

    def add(self, *values: np.ndarray) -> None:
        """Rows, one array a column."""
        count, done = len(values[0]), 0
        while done < count:
            if self._used == self._room:
                for blocks, kind in zip(self._blocks, self._kinds, strict=True):
                    blocks.append(np.empty(_ROWS, dtype=kind))
                self._used, self._room = 0, _ROWS
            now = min(count - done, self._room - self._used)
            for blocks, own in zip(self._blocks, values, strict=True):
                blocks[-1][self._used : self._used + now] = own[done : done + now]
            self._used, done = self._used + now, done + now

    def column(self, place: int) -> list[np.ndarray]:
        """A column in its pieces."""
        blocks = self._blocks[place]
        return [*blocks[:-1], blocks[-1][: self._used]] if blocks else []

    def arrow(self, place: int, make: Callable[[np.ndarray], pa.Array] = pa.array) -> pa.ChunkedArray:
        """A column as Arrow has it, not copied where `make` does not; there must be rows."""
        return pa.chunked_array([make(piece) for piece in self.column(place)])

    def sort(self, order_of: Callable[[Sequence[np.ndarray]], np.ndarray], *places: int) -> None:
        """Put the rows into the order that `order_of` makes of the columns at `places`."""
        order = order_of([np.concatenate(self.column(place)) for place in places])
        for place, blocks in enumerate(self._blocks):
            blocks[:] = [np.concatenate(self.column(place))[order]]
        self._used = self._room = len(order)

    def keep(self, wanted: Callable[[Sequence[np.ndarray]], np.ndarray]) -> None:
        """Leave the rows for which `wanted`, given a piece of all columns, is true."""
        kept: list[list[np.ndarray]] = [[] for _ in self._kinds]
        for pieces in zip(*map(self.column, range(len(self._kinds))), strict=True):
            rows = wanted(pieces)
            for own, piece in zip(kept, pieces, strict=True):
                own.append(piece[rows])
        self._blocks = [[np.concatenate(own)] for own in kept] if self else self._blocks
        self._used = self._room = len(self._blocks[0][0]) if self else 0

    def rising(self, place: int) -> bool:
        """Whether a column never falls."""
        last = -np.inf
        for piece in self.column(place):
            if len(piece) and (piece[0] < last or (piece[1:] < piece[:-1]).any()):
                return False
            last = piece[-1] if len(piece) else last
        return True
