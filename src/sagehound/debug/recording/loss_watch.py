"""The losses of the step: registered modules, and functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import torch
from torch.utils.hooks import RemovableHandle

from sagehound.debug.recording.functional_losses import attend, listen, stop_listening
from sagehound.debug.recording.naming import tensors_in
from sagehound.debug.recording.open_step import OpenStep
from sagehound.debug.recording.step_facts import StepFacts
from sagehound.debug.recording.watched_modules import Failed

#: Which argument of these functions is the label that is passed over.
_IGNORE_INDEX = {"CrossEntropyLoss": 4, "NLLLoss": 4}
#: The step that is being saved, with its facts; None in any other.
Saving = Callable[[], tuple[OpenStep, StepFacts] | None]


class Removable(Protocol):
    """Something that was put in place."""

    def remove(self) -> None: ...


class LossWatch:
    """Saves what losses give and, where asked for, what they are given. A function that a registered module calls is
    not a loss of its own."""

    def __init__(self, saving: Saving, failed: Failed) -> None:
        self.names: list[str] = []
        self._modules: list[torch.nn.Module] = []
        self._saving, self._failed = saving, failed
        self._within: torch.nn.Module | None = None
        listen(self._heard)
        attend(self._heard, now=False)

    def close(self) -> None:
        stop_listening(self._heard)

    def register(self, module: torch.nn.Module) -> None:
        if not any(module is known for known in self._modules):
            self._modules.append(module)

    def arm(self) -> list[Removable]:
        """Watch the registered modules and the functions for one step."""
        self._within = None
        attend(self._heard, now=True)
        handles: list[Removable] = [self]
        for module in self._modules:
            handles.append(module.register_forward_pre_hook(self.enter))
            handles.append(module.register_forward_hook(self.leave))
        return handles

    def remove(self) -> None:
        """The step is over."""
        attend(self._heard, now=False)

    def enter(self, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        """A registered loss is called."""
        self._within = self._within or module

    def leave(self, module: torch.nn.Module, args: tuple[Any, ...], output: Any) -> None:  # noqa: ANN401
        """A registered loss gave `output`."""
        if self._within is module:
            self._within = None
            self._save(type(module).__name__, args, output, getattr(module, "ignore_index", None))

    def _heard(self, name: str, args: tuple[Any, ...], output: torch.Tensor | None) -> None:
        within = self._within
        if within is None or output is None:  # a registered loss that raises does so in a function, and never leaves
            ignored = args[_IGNORE_INDEX[name]] if name in _IGNORE_INDEX else None
            self._save(type(within).__name__ if within is not None else name, args, output, ignored)

    def _save(self, name: str, inputs: tuple[Any, ...], output: Any, ignored: object) -> None:  # noqa: ANN401
        saving = self._saving()
        if saving is None:
            return
        step, facts = saving
        try:
            if name not in self.names:
                self.names.append(name)
            for tensor in tensors_in(inputs):
                step.add((step.next_name(f"{name}_input_"), "loss_input", "", name), tensor)
            for tensor in tensors_in(output):
                step.add((step.next_name(f"{name}_output_"), "loss", "", name), tensor)
            step.noticed |= output is None
            facts.loss(name, inputs, output, ignored if isinstance(ignored, int) else None)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._failed(f"{name}_output_0", "loss", error)


class GradientWatch:
    """Saves each parameter's gradient in the backwards of one step."""

    def __init__(self, step: OpenStep, facts: StepFacts, failed: Failed) -> None:
        self._step, self._facts, self._failed = step, facts, failed
        #: What the loss was multiplied by before its backward.
        self.scale: float = 1.0

    def arm(self, named: tuple[str, Any, str, str], parameter: torch.nn.Parameter) -> RemovableHandle:
        """Watch one parameter, whose gradient is called `named`."""
        handle: RemovableHandle = parameter.register_hook(partial(self.save, named))  # type: ignore[no-untyped-call]
        return handle

    def save(self, named: tuple[str, Any, str, str], gradient: torch.Tensor) -> None:
        """Take a gradient in."""
        try:
            self._facts.backward()
            if self.scale != 1.0:
                gradient = gradient.detach() / self.scale
            self._step.add(named, gradient, add_up=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._failed(named[0], "gradient", error)
