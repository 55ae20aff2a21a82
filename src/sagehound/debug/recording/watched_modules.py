"""Hooks on modules that stand for one step and are removed after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle

from sagehound.debug.config.selection import Selection
from sagehound.debug.recording.naming import tensors_in
from sagehound.debug.recording.open_step import OpenStep
from sagehound.debug.recording.root import Root

#: What failed, for which of the step's tensors, and why.
Failed = Callable[[str, str, Exception], None]


#: By the stem of the tensors' names: path, module, whether its inputs and its outputs are wanted.
Wanted = dict[str, tuple[str, torch.nn.Module, bool, bool]]


def arm_modules(
    root: Root, wanted: Wanted, step: OpenStep, failed: Failed, called: tuple[Any, ...]
) -> list[RemovableHandle]:
    """Save inputs and outputs of the root's modules as they are called. `called` are the arguments of the call of the
    root that is under way."""
    handles: list[RemovableHandle] = []
    for stem, (path, module, inputs, outputs) in wanted.items():
        named = (stem, path, type(module).__name__)
        taken = _Inputs(named, step, failed)
        if inputs and module is root.outer:
            # It is being called: a hook put on it now would run in the next call, even when it was removed by then.
            taken(module, called, {})
        elif inputs:
            handles.append(module.register_forward_pre_hook(taken, with_kwargs=True))
        if outputs:
            handles.append(module.register_forward_hook(_Outputs(named, step, failed)))
    return handles


def modules_wanted(root: Root, step: OpenStep, selection: Selection) -> Wanted:
    """The modules of which the step wants something."""
    kept: Wanted | None = root.kept.get(step.due)
    if kept is not None:
        return kept
    found: Wanted = {}
    for stem, path, module in root.submodules():
        kind = type(module).__name__
        inputs = selection.wants_any(f"{stem}_input_", "input", path, kind, step.due)
        outputs = selection.wants_any(f"{stem}_output_", "output", path, kind, step.due)
        if inputs or outputs:
            found[stem] = (path, module, inputs, outputs)
    root.kept[step.due] = found
    return found


class _Inputs:
    """Saves what a module is called with, before it can change it."""

    def __init__(self, named: tuple[str, str, str], step: OpenStep, failed: Failed) -> None:
        self._stem, self._path, self._type = named
        self._step, self._failed = step, failed

    def __call__(self, module: torch.nn.Module, args: Any, kwargs: Any) -> None:  # noqa: ANN401
        for tensor in tensors_in((args, kwargs)):
            name = self._step.next_name(f"{self._stem}_input_")
            try:
                self._step.add((name, "input", self._path, self._type), tensor)
            except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
                self._failed(name, "input", error)


class _Outputs:
    """Saves what a module gives."""

    def __init__(self, named: tuple[str, str, str], step: OpenStep, failed: Failed) -> None:
        self._stem, self._path, self._type = named
        self._step, self._failed = step, failed

    def __call__(self, module: torch.nn.Module, args: Any, output: Any) -> None:  # noqa: ANN401
        for tensor in tensors_in(output):
            name = self._step.next_name(f"{self._stem}_output_")
            try:
                self._step.add((name, "output", self._path, self._type), tensor)
            except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
                self._failed(name, "output", error)
