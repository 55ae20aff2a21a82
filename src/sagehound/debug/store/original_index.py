"""The index of the original debugger: a JSON file for each saved step and worker, and one for the collections."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from sagehound.debug.store.records import CollectionInfo, Kind, TensorInfo

INDEX = "index/"
COLLECTIONS = "collections/"
END_OF_JOB = "training_job_end.ts"
_REDUCTION = "smdebug/reductions/"


_Bytes = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]


class Location(msgspec.Struct, frozen=True):
    """Where a tensor's record stands in the step's event file, in bytes."""

    tensorname: str
    start_idx: _Bytes
    length: _Bytes


class Shape(msgspec.Struct, frozen=True):
    """A tensor of which only the shape was saved beside reductions."""

    tensorname: str
    originalname: str
    shape: tuple[int, ...]


class Meta(msgspec.Struct, frozen=True):
    """The step's number in its mode, and its event file, relative to the trial's folder."""

    mode: Literal["TRAIN", "EVAL", "PREDICT", "GLOBAL"]
    mode_step: int
    #: Below events/ and nowhere else, whatever an index says.
    event_file_name: Annotated[str, msgspec.Meta(pattern=r"^(events/[^/]+/[^/]+\.tfevents)?$")] = ""


class StepIndex(msgspec.Struct, frozen=True):
    """What one worker saved at one step."""

    meta: Meta
    tensor_payload: tuple[Location, ...] = ()
    shape_payload: tuple[Shape, ...] = ()

    def values(self) -> dict[str, Location]:
        """Where the values are, by tensor."""
        return {each.tensorname: each for each in self.tensor_payload if not each.tensorname.startswith(_REDUCTION)}

    def reductions(self) -> dict[str, dict[str, Location]]:
        """Where the reductions are, by tensor and reduction ("min", "abs_l2")."""
        found: dict[str, dict[str, Location]] = {}
        for each in self.tensor_payload:
            if each.tensorname.startswith(_REDUCTION):
                reduction, _, name = each.tensorname.removeprefix(_REDUCTION).partition("/")
                found.setdefault(name, {})[reduction] = each
        return found


class Collections(msgspec.Struct, frozen=True):
    """The collections as they were configured."""

    collections: dict[str, dict[str, Any]]
    meta: dict[str, int] = msgspec.field(name="_meta", default_factory=dict)

    def infos(self) -> tuple[CollectionInfo, ...]:
        """The collections in the words of this package's records."""
        return tuple(
            CollectionInfo(name=name, include_regex=tuple(each.get("include_regex") or ()))
            for name, each in self.collections.items()
        )

    def of(self, tensor: str) -> tuple[str, ...]:
        """The collections that a tensor is in: by its name, or by a regex."""
        return tuple(
            name
            for name, each in self.collections.items()
            if tensor in (each.get("tensor_names") or ()) or _matches(each.get("include_regex") or (), tensor)
        )


def parse_step(data: bytes | bytearray) -> StepIndex:
    """A file of the index; msgspec.MsgspecError where it is none."""
    return msgspec.json.decode(data, type=StepIndex)


def parse_collections(data: bytes | bytearray) -> Collections:
    """A collections file; msgspec.MsgspecError where it is none."""
    return msgspec.json.decode(data, type=Collections)


def step_and_worker(file: str) -> tuple[int, str] | None:
    """Whose step an index file is; None for any other file.

    >>> step_and_worker("index/000000000/000000000010_worker_0.json")
    (10, 'worker_0')
    """
    found = re.fullmatch(r"index/\d+/(\d+)_(.+)\.json", file)
    return (int(found[1]), found[2]) if found else None


def describe(
    index: StepIndex,
    collections: Collections,
    shapes: Mapping[str, tuple[str, tuple[int, ...]]],
    numbers: Container[str],
) -> list[TensorInfo]:
    """The step's tensors. `shapes` has type and shape of those whose values were saved; `numbers` those of them that
    stand in the step itself."""
    reductions = index.reductions()
    kept = {each.originalname: tuple(each.shape) for each in index.shape_payload}
    found = []
    for name in dict.fromkeys([*index.values(), *reductions, *kept]):
        dtype, shape = shapes.get(name, ("float32", kept.get(name, ())))
        groups = collections.of(name)
        kind = kind_of(name, groups)
        found.append(
            TensorInfo(
                name=name,
                kind=kind,
                module=_module(name) if kind in ("input", "output") else "",
                dtype=dtype,
                shape=shape,
                collections=groups,
                saved="scalar" if name in numbers else "array" if name in shapes else "nothing",
                reductions=tuple(reductions.get(name, ())),
            )
        )
    return found


def kind_of(name: str, collections: Iterable[str]) -> Kind:
    """What a tensor is, by the names that the original gives.

    >>> kind_of("gradient/Net_fc.weight", ()), kind_of("relu_output_0", ()), kind_of("BCELoss_input_1", ())
    ('gradient', 'output', 'loss_input')
    """
    if "losses" in collections or re.search(r"[Ll]oss_output_\d+$", name):
        return "loss"
    if re.search(r"[Ll]oss_input_\d+$", name):
        return "loss_input"
    for kind, pattern in _KINDS.items():
        if re.search(pattern, name):
            return kind
    return "custom"


_KINDS: dict[Kind, str] = {
    "gradient": r"^gradient/",
    "scalar": r"^scalar/",
    "output": r"_output_\d+$",
    "input": r"_input_\d+$",
    "weight": r"weight$",
    "bias": r"bias$",
}


def _module(name: str) -> str:
    return re.sub(r"_(in|out)put_\d+$", "", name)


def _matches(patterns: Iterable[str], name: str) -> bool:
    for pattern in patterns:
        try:
            if re.search(pattern, name):
                return True
        except re.error:
            continue
    return False
