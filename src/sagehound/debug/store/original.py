"""What smdebug 1.0.34 itself wrote, as a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec
import numpy as np

from sagehound.debug.store import original_index as index
from sagehound.debug.store.files import Files, gone
from sagehound.debug.store.header import Damaged
from sagehound.debug.store.records import REDUCTIONS, Layout, Note, Run, Step, written
from sagehound.debug.store.source import SourceState
from sagehound.debug.store.tfevents import EventTensor, event_tensor
from sagehound.errors import InvalidInput, TensorUnavailableForStep

#: A record's beginning, with the tensor's type and shape, is not longer.
_HEAD_BYTES = 4096
#: Files of the index that are read at a time: in S3 each one takes a round trip.
_AT_ONCE = 16


class OriginalSource:
    """A TensorSource over collections/, index/ and events/.

    Losses and scalars of one element are read with the index, so that curves are there at once; every other tensor is
    an array, read when it is asked for. The original wrote no times (`Step.at` is 0), no layers' types, and the shape
    of a tensor that has only reductions where it was told to. Two steps have the same layout when their records have
    the same names and lengths.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._collections = index.Collections({})
        self._runs: dict[str, Run] = {}
        self._steps: dict[str, list[Step]] = {}
        self._indexes: dict[tuple[str, int], tuple[index.StepIndex, int]] = {}
        self._numbers: dict[tuple[str, int], dict[str, float | str]] = {}
        self._layouts: dict[tuple[object, ...], int] = {}
        self._first_of: list[tuple[str, int]] = []
        self._described: dict[int, Layout] = {}
        self._seen: set[str] = set()
        self._notes: list[Note] = []
        self._ended = False

    def refresh(self) -> bool:
        ended = bool(self._files.sizes(index.END_OF_JOB))
        if not self._collections.collections:
            self._read_collections()
        names = self._files.sizes(index.INDEX)
        if self._seen and not names:
            raise gone(self._files)
        new = [name for name in names if name not in self._seen and index.step_and_worker(name)]
        if new:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                for name, found in zip(new, pool.map(self._read_index, new), strict=True):
                    self._take(name, found)
        brought = bool(new) or ended != self._ended
        self._ended = ended
        return brought

    def runs(self) -> Mapping[str, Run]:
        return self._runs

    def steps(self, worker: str) -> Sequence[Step]:
        return self._steps.get(worker, ())

    def layout(self, worker: str, number: int) -> Layout:
        if number not in self._described:
            first = self._first_of[number]
            found, _ = self._indexes[first]
            shapes = {name: self._shape(found, place) for name, place in found.values().items()}
            described = index.describe(found, self._collections, shapes, self._numbers[first])
            self._described[number] = Layout(number, tuple(described))
        return self._described[number]

    def read(self, worker: str, step: int, name: str) -> np.ndarray:
        found, layout = self._indexes.get((worker, step), (None, 0))
        if found is not None and name == REDUCTIONS:
            return self._reductions(found, self.layout(worker, layout))
        place = found.values().get(name) if found else None
        if found is None or place is None:
            raise TensorUnavailableForStep(f"{worker} saved no array of {name} at global step {step}")
        return self._array(found, place)

    def state(self) -> SourceState:
        return SourceState(ended=self._ended, notes=self._notes)

    def _read_collections(self) -> None:
        for name in self._files.sizes(index.COLLECTIONS):
            if name.endswith("_collections.json"):
                try:
                    self._collections = index.parse_collections(self._files.read(name))
                    return
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    self._note(f"{name} is damaged, so nothing is known of collections: {error}")

    def _read_index(self, name: str) -> tuple[index.StepIndex, dict[str, float | str]] | Note:
        """What was saved, and its numbers; a Note where the file is damaged."""
        step, _ = index.step_and_worker(name) or (0, "")
        try:
            found = index.parse_step(self._files.read(name))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return Note(step=step, text=f"{name} is damaged, so step {step} was left out: {error}")
        numbers: dict[str, float | str] = {}
        for tensor, place in found.values().items():
            if index.kind_of(tensor, self._collections.of(tensor)) in ("loss", "scalar"):
                # One that cannot be read stays an array: reading that says what is wrong.
                with suppress(InvalidInput, TensorUnavailableForStep):
                    value = self._array(found, place)
                    if value.size == 1 and value.dtype.kind in "fiub":
                        numbers[tensor] = written(float(value.reshape(-1)[0]))
        return found, numbers

    def _take(self, name: str, read: tuple[index.StepIndex, dict[str, float | str]] | Note) -> None:
        self._seen.add(name)
        step, worker = index.step_and_worker(name) or (0, "")
        if isinstance(read, Note):
            self._notes.append(read)
            return
        found, numbers = read
        if worker not in self._runs:
            workers = self._collections.meta.get("num_workers", 1)
            collections = self._collections.infos()
            self._runs[worker] = Run(worker=worker, workers=workers, collections=collections, framework="smdebug")
        lengths = tuple((each.tensorname, each.length) for each in found.tensor_payload)
        layout = self._layouts.setdefault((worker, lengths, found.shape_payload, *numbers), len(self._first_of))
        if layout == len(self._first_of):
            self._first_of.append((worker, step))
        self._indexes[worker, step] = (found, layout)
        self._numbers[worker, step] = numbers
        self._steps.setdefault(worker, []).append(
            Step(
                step=step,
                mode=found.meta.mode,
                mode_step=found.meta.mode_step,
                layout=layout,
                at=0.0,
                scalars=numbers,
                file=len(found.tensor_payload) > len(numbers),
            )
        )

    def _reductions(self, found: index.StepIndex, layout: Layout) -> np.ndarray:
        places = found.reductions()
        return np.array(
            [
                float(self._array(found, places[info.name][reduction]).reshape(-1)[0])
                for info in layout.tensors
                for reduction in info.reductions
            ]
        )

    def _shape(self, found: index.StepIndex, place: index.Location) -> tuple[str, tuple[int, ...]]:
        try:
            tensor = self._tensor(found, place, cut=True)
        except (InvalidInput, TensorUnavailableForStep):
            # Reading the value says what is wrong; other steps of this layout may be whole.
            return "float32", ()
        return tensor.dtype, tensor.shape

    def _array(self, found: index.StepIndex, place: index.Location) -> np.ndarray:
        try:
            return self._tensor(found, place).array()
        except Damaged as error:
            raise self._damaged(found, place, error) from error

    def _tensor(self, found: index.StepIndex, place: index.Location, cut: bool = False) -> EventTensor:
        file = found.meta.event_file_name
        length = min(place.length, _HEAD_BYTES) if cut else place.length
        try:
            return event_tensor(self._files.read(file, place.start_idx, place.start_idx + length), cut)
        except FileNotFoundError:
            if not self._files.exists():
                raise gone(self._files) from None
            raise TensorUnavailableForStep(f"{file} in {self._files.place} is not there") from None
        except Damaged as error:
            raise self._damaged(found, place, error) from error

    def _damaged(self, found: index.StepIndex, place: index.Location, error: Damaged) -> InvalidInput:
        file = f"{found.meta.event_file_name} in {self._files.place}"
        return InvalidInput(f"{file} is damaged: for {place.tensorname} it has {error}. Other steps can be read")

    def _note(self, text: str) -> None:
        self._notes.append(Note(step=0, text=text))
