"""What is put in place for one step that is saved, and taken away after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from sagehound.debug.config.selection import Named, Selection
from sagehound.debug.recording.capture import traced
from sagehound.debug.recording.compiled import run_eagerly
from sagehound.debug.recording.loss_watch import GradientWatch
from sagehound.debug.recording.naming import GRADIENT
from sagehound.debug.recording.open_step import OpenStep
from sagehound.debug.recording.root import Root
from sagehound.debug.recording.step_facts import StepFacts
from sagehound.debug.recording.watched_modules import Failed, arm_modules, modules_wanted
from sagehound.watching.trouble import cause_of


class Armed(Protocol):
    """Something that was put in place."""

    def remove(self) -> None: ...


class Arming:
    """One step's hooks. A model joins when it is called; its weights are those it has then."""

    def __init__(self, step: OpenStep, facts: StepFacts, selection: Selection, failed: Failed, gradients: bool) -> None:
        self._step, self._facts, self._selection, self._failed = step, facts, selection, failed
        self._with_gradients = gradients
        self._joined: list[Root] = []
        self._handles: list[Armed] = []
        self.gradients = GradientWatch(step, facts, failed)

    def join(self, root: Root, args: tuple[Any, ...]) -> None:
        """A model is called with `args`: save its weights, and watch its modules and its backward."""
        if any(root is known for known in self._joined):
            return
        root.distinguish(known.name for known in self._joined)
        self._joined.append(root)
        root.refresh()
        for named, parameter in root.parameters():
            self.save(named, parameter)
            if self._with_gradients and parameter.requires_grad:
                gradient = gradient_of(named)
                if self._step.wants(gradient):
                    self._handles.append(self.gradients.arm(gradient, parameter))
        self._join_modules(root, args)
        self._handles.append(root.outer.register_forward_hook(self._forward_ended, with_kwargs=True))

    def add(self, handles: Sequence[Armed]) -> None:
        """Take these away with the rest."""
        self._handles += handles

    def save(self, named: Named, tensor: torch.Tensor) -> None:
        """Save a tensor, where the step wants it."""
        try:
            self._step.add(named, tensor)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._failed(named[0], named[1], error)

    def save_gradients(self, parameters: set[int]) -> None:
        """Save the gradients that the parameters of these ids have now."""
        for root in self._joined:
            for named, parameter in root.parameters():
                if id(parameter) in parameters and parameter.grad is not None:
                    self._facts.backward()
                    self.save(gradient_of(named), parameter.grad)

    def names(self) -> dict[int, Named]:
        """The parameters' names, by their ids."""
        return {id(parameter): named for root in self._joined for named, parameter in root.parameters()}

    def remove(self) -> None:
        """Take everything away."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _join_modules(self, root: Root, args: tuple[Any, ...]) -> None:
        wanted = modules_wanted(root, self._step, self._selection)
        if not wanted:
            return
        if root.compiled:
            eager = root.eagerly() or run_eagerly(root.outer)
            if eager is None:
                self._step.tell(root.name, "is compiled; inputs and outputs of its modules need torch 2.6 to be saved")
                return
            self._step.tell(root.name, "is compiled; it runs uncompiled where inputs or outputs of modules are saved")
            self._handles.append(eager)
        self._handles += arm_modules(root, wanted, self._step, self._failed, args)

    def _forward_ended(self, module: Any, args: Any, kwargs: Any, output: Any) -> None:  # noqa: ANN401
        if traced():
            return
        try:
            self._facts.forward(args, kwargs, output)
        except Exception as error:  # noqa: BLE001 - the step is saved all the same
            self._step.tell("the batch", f"was not looked at: {cause_of(error)}")


def gradient_of(named: Named) -> Named:
    """What a parameter's gradient is called."""
    name, _, module, module_type = named
    return f"{GRADIENT}{name}", "gradient", module, module_type
