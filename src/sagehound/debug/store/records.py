"""What a debugged training leaves behind: the records in its manifest.

A folder of tensors holds, for each worker:

    manifest/worker_0/000000.jsonl                         records of this file, one a line, a file for each 1,000 steps
    tensors/000000000/000000000010_worker_0.safetensors    the arrays of global step 10, a folder for each 1,000 steps

Numbers (losses, scalars) stand in the manifest itself, so a curve of 100,000 steps is read without opening one other
file; a step that saved nothing else has no safetensors file. The set of tensors of a step is described once, as a
`Layout`, which steps refer to by number; each file of the manifest repeats the layouts that its steps refer to. What
one module gives and the next one takes is one array in the file under the first name, with the other names in the
file's metadata (see header.py).
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal[
    "weight", "bias", "parameter", "gradient", "input", "output", "loss", "loss_input", "scalar", "optimizer", "custom"
]


class TensorInfo(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One tensor of a layout.

    `module` is the dotted path of the module it belongs to ("" is the root), `module_type` its class's name.
    `weight` and `bias` are parameters by their names' last part; any other is `parameter`. `loss_input` is what a loss
    was given: `_input_0` the predictions, `_input_1` the labels. `shape` is that of the whole tensor and `dtype`
    torch's word for it ("float32", "bfloat16"), whatever was saved of it. `saved` says what: the `array` (in the
    safetensors file, under `name`), the `scalar` (in `Step.scalars`), or `nothing` but its `reductions`. Reductions of
    all tensors of a layout, in this order, are one float64 array in the file, named REDUCTIONS.
    """

    name: str
    kind: Kind
    module: str = ""
    module_type: str = ""
    dtype: str = "float32"
    shape: tuple[int, ...] = ()
    collections: tuple[str, ...] = ()
    saved: Literal["array", "scalar", "nothing"] = "array"
    #: "min", "abs_l2", ... (see reductions.py)
    reductions: tuple[str, ...] = ()


REDUCTIONS = "__reductions__"


class Facts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What the hook noticed at a saved step beside its tensors. None or empty: not known.

    `training` is the root module's flag; `grad_enabled` and `backward` tell whether gradients were on in the forward,
    and whether a backward followed. `dropouts` and `norms` count the dropout and batch-norm modules (those that keep
    running statistics), `dropouts_training` and `norms_training` those of them whose own flag said training.
    `learning_rates` has one number a parameter group. `clip_norm` is the gradients' total norm before it was clipped
    to `clip_limit`. `labels_*` describe the integer labels that the loss was given, without those equal to its
    `ignore_index`; `classes` is the width of its predictions, `loss_input_sums_to_one` whether those were probabilities
    already, `loss_input_made_by` the function that they come straight from ("sigmoid"; "" is any other). `samples` are
    hashes of the batch's inputs, one a sample. `optimizer_steps` counts the steps that all optimizers have taken
    before.
    """

    training: bool | None = None
    grad_enabled: bool | None = None
    backward: bool | None = None
    dropouts: int = 0
    dropouts_training: int = 0
    norms: int = 0
    norms_training: int = 0
    learning_rates: tuple[float, ...] = ()
    clip_norm: float | str | None = None
    clip_limit: float | None = None
    labels_min: int | None = None
    labels_max: int | None = None
    labels_distinct: int | None = None
    classes: int | None = None
    loss: str = ""
    ignore_index: int | None = None
    loss_input_sums_to_one: bool | None = None
    loss_input_made_by: str = ""
    samples: tuple[int, ...] = ()
    optimizer_steps: int | None = None


class Layout(msgspec.Struct, frozen=True, tag="layout"):
    """The tensors of the steps that refer to `number`, which is unique for the worker."""

    number: int
    tensors: tuple[TensorInfo, ...]


class Step(msgspec.Struct, frozen=True, tag="step", omit_defaults=True, kw_only=True, gc=False):
    """One saved step of one worker. `scalars` has the tensors of one element by name; a number that is not finite is
    written as text ("nan", "inf", "-inf"), because JSON has no other way: `number` reads both. `file` tells whether
    there is a safetensors file. `at` is seconds since the epoch.

    Steps and facts are not garbage-collected (gc=False): they never refer to each other in a circle, and looking
    through 100,000 of them again and again takes longer than decoding them.
    """

    step: int
    mode: str
    mode_step: int
    layout: int
    at: float
    scalars: dict[str, float | str] = {}
    file: bool = False
    facts: Facts | None = None


class ModuleInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A module: its dotted path ("" is the root) and its class's name."""

    path: str
    type: str


class ParameterInfo(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A parameter as tensors are named after it, the module that owns it, and what may change it: `trainable` is
    `requires_grad`, `optimized` whether an optimizer seen so far holds it."""

    name: str
    module: str = ""
    module_type: str = ""
    shape: tuple[int, ...] = ()
    trainable: bool = True
    optimized: bool = False


class OptimizerInfo(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An optimizer that has taken a step: its class, its groups' learning rates, how many parameters it holds and how
    many of them no registered module has."""

    type: str
    learning_rates: tuple[float, ...] = ()
    parameters: int = 0
    foreign: int = 0


class Model(msgspec.Struct, frozen=True, tag="model", omit_defaults=True, kw_only=True):
    """What is trained, as known at `step`; a later one replaces it."""

    step: int = 0
    root: str = ""
    modules: tuple[ModuleInfo, ...] = ()
    parameters: tuple[ParameterInfo, ...] = ()
    optimizers: tuple[OptimizerInfo, ...] = ()
    losses: tuple[str, ...] = ()


class CollectionInfo(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A collection as configured, in the words of the JSON configuration."""

    name: str
    include_regex: tuple[str, ...] = ()
    parameters: dict[str, str] = {}


class Run(msgspec.Struct, frozen=True, tag="run", omit_defaults=True, kw_only=True):
    """The first record of a worker, and again where a later process goes on with the same folder."""

    version: int = 1
    worker: str = "worker_0"
    workers: int = 1
    collections: tuple[CollectionInfo, ...] = ()
    framework: str = ""


class Note(msgspec.Struct, frozen=True, tag="note", kw_only=True):
    """Something that the reader should know: a collection that stopped and why, a tensor that was densified."""

    step: int
    text: str


class End(msgspec.Struct, frozen=True, tag="end", kw_only=True):
    """The last record of a worker whose hook was closed. `passed` has, by mode, the last step that was counted (saved
    or not), GLOBAL included."""

    at: float
    passed: dict[str, int] = {}


Record = Run | Model | Layout | Step | Note | End


def number(value: float | str) -> float:
    """A number as a manifest holds it.

    >>> number(0.5), number("inf")
    (0.5, inf)
    """
    return float(value)


def written(value: float) -> float | str:
    """A number as a manifest can hold it.

    >>> written(0.5), written(float("-inf"))
    (0.5, '-inf')
    """
    return value if value - value == 0 else str(value)
