"""The contract of what a trial reads from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from sagehound.debug.store.records import Layout, Model, Note, Run, Step

Array = np.ndarray


class TensorSource(Protocol):
    """The tensors of one training, which may still run: a folder, a prefix in S3, data of the original debugger.

    - `refresh` reads what came since the last call (the first one reads everything there is) and tells whether it
      brought anything. Nothing there yet is no error; a folder that was removed is MissingCollectionFiles.
    - `runs` has the first record of every worker seen, by worker's name.
    - `steps(worker)` are its saved steps, in the order of their global steps.
    - `layout(worker, number)` is the layout that a step refers to.
    - `read(worker, step, name)` is one array as NumPy has it (bfloat16 as float32), read from disk only now;
      TensorUnavailableForStep where the step has none of that name, InvalidInput naming the file where it is damaged.
    - `state` is what is known beside steps.
    """

    def refresh(self) -> bool: ...
    def runs(self) -> Mapping[str, Run]: ...
    def steps(self, worker: str) -> Sequence[Step]: ...
    def layout(self, worker: str, number: int) -> Layout: ...
    def read(self, worker: str, step: int, name: str) -> Array: ...
    def state(self) -> SourceState: ...


class SourceState:
    """What a source knows beside its steps.

    `ended` is true when every worker's hook was closed, or the job that wrote is known to be over. `model` is the
    newest of the first worker. `passed` has, by the mode's name, the last step that was counted, saved or not.
    `notes` are what the hook wanted its reader to know.
    """

    def __init__(
        self,
        ended: bool = False,
        model: Model | None = None,
        passed: Mapping[str, int] | None = None,
        notes: Sequence[Note] = (),
    ) -> None:
        self.ended = ended
        self.model = model or Model()
        self.passed = dict(passed or {})
        self.notes = tuple(notes)
