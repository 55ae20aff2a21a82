"""The contract between the hook and what writes its tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from sagehound.debug.store.records import Facts, Model, TensorInfo

if TYPE_CHECKING:
    import torch


class SavedStep(msgspec.Struct, kw_only=True):
    """One step as the hook hands it over. `tensors` are in the layout's order; `arrays` has the copies of those that
    are saved as arrays, by name, on the CPU and owned by the sink from now on, the same object under several
    names where they are the same; `scalars` the numbers; `reductions` one
    float64 array with the reductions of all tensors in order, or None."""

    step: int
    mode: str
    mode_step: int
    tensors: tuple[TensorInfo, ...]
    arrays: dict[str, torch.Tensor]
    scalars: dict[str, float]
    reductions: torch.Tensor | None = None
    facts: Facts | None = None


class TensorSink(Protocol):
    """Writes what a hook saw. Called on the training thread, so every call is quick; the work is done elsewhere.

    - `write` takes a step; where too much waits to be written it blocks (and says so, once), it never drops.
    - `describe` and `note` add a record.
    - `close` waits until all is on disk and marks the end; `passed` as in `records.End`. Idempotent.
    - What went wrong while writing is raised by the next `write`, once; after that the sink takes nothing more.
    """

    def write(self, step: SavedStep) -> None: ...
    def describe(self, model: Model) -> None: ...
    def note(self, step: int, text: str) -> None: ...
    def close(self, passed: dict[str, int]) -> None: ...
