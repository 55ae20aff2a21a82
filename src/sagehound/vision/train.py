"""Train an image classifier: `python -m sagehound.vision.train --data FOLDER`, or as a script-mode job's entry point.

Hyperparameters: lr, batch_size, epochs, test-batch-size, and those that `--help` lists. Metric regexes for its log:
`Test set: Average loss: ([0-9\\.]+)`, `Test set: .* \\(([0-9\\.]+)%\\)`, `Validation set: Average loss: ([0-9\\.]+)`
and `Train epoch: .* Loss: ([0-9\\.]+)`. The model goes to `--model-dir` (see export.py), history.json to
`--output-data-dir`.
The same seed on the same machine gives the same model, bit for bit. In a job that asks for tensors the debugger's hook
watches the layers that learn and their loss.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import nn

from sagehound.debug import Hook, get_hook, modes
from sagehound.errors import SagehoundError
from sagehound.profile import steps
from sagehound.vision import backbones, finetune, frozen, memory
from sagehound.vision.dataset import find_images, hold_out
from sagehound.vision.export import export
from sagehound.vision.history import History
from sagehound.vision.observer import Batch, Nobody, Observer
from sagehound.vision.options import Options, parse


def run(options: Options) -> History:
    """Train, test and export as `options` say; a SagehoundError says what is wrong with the data or the model."""
    started = time.monotonic()
    _seed(options.seed)
    data = find_images(options.data_dir, options.seed, options.test_dir, options.validation_dir)
    data = hold_out(data, options.validation_share, options.seed)
    history = History(data.classes, options.as_dict())
    for note in data.notes:
        history.say(note)
    counts = f"{len(data.train)} to train, {len(data.validation)} to validate, {len(data.test)} to test"
    history.say(f"{len(data.classes)} classes, photos: {counts}")
    network, description = backbones.create(
        options.model, data.classes, options.weights, options.image_size, options.crop_pct
    )
    pixels = description.transform["input_size"][1]
    history.say(f"Model {options.model}, {pixels} x {pixels} pixels, {torch.get_num_threads()} threads")
    recipe = frozen.train if options.finetune == "head" else finetune.train
    recipe(network, description, data, options, history, _observer())
    export(network.eval(), description, options.model_dir)
    history.write(options.output_data_dir)
    history.say(
        f"Model in {options.model_dir}, history in {options.output_data_dir}; {time.monotonic() - started:.1f} s"
    )
    return history


class _Profiler(Nobody):
    """Shows the batches to the profiler, where the process has one: all else it finds by itself."""

    def batches(self, batches: Iterable[Batch]) -> Iterable[Batch]:
        return steps(batches)


class _Debugger(_Profiler):
    """The debugger's hook as well."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    def watch(self, model: nn.Module, loss: nn.Module) -> None:
        self._hook.register_module(model)
        self._hook.register_loss(loss)

    def training(self) -> None:
        self._hook.set_mode(modes.TRAIN)

    def evaluating(self) -> None:
        self._hook.set_mode(modes.EVAL)


def _observer() -> Observer:
    hook = get_hook(create_if_not_exists=True)
    return _Profiler() if hook is None else _Debugger(hook)


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads memory before it is written, and to fill it takes longer than much that is done with it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """The command; returns its exit status."""
    options = parse(
        sys.argv[1:] if arguments is None else arguments, os.environ if environment is None else environment
    )
    memory.keep_freed()
    try:
        run(options)
    except SagehoundError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
