"""The steps of a training, from one forward to the next: what is put in place for each, and what is handed over."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from sagehound.debug import gradient_clipping
from sagehound.debug.capture import traced
from sagehound.debug.collection import Collection
from sagehound.debug.collections import Collections
from sagehound.debug.hook_config import HookConfig
from sagehound.debug.loss_watch import GradientWatch, LossWatch
from sagehound.debug.modes import ModeKeys
from sagehound.debug.naming import GRADIENT
from sagehound.debug.open_step import OpenStep
from sagehound.debug.optimizers import Optimizers, state_of
from sagehound.debug.output import Output
from sagehound.debug.resume import Checkpoints, Counts
from sagehound.debug.root import Root
from sagehound.debug.selection import Named, Selection
from sagehound.debug.step_facts import StepFacts
from sagehound.debug.trouble import cause_of
from sagehound.debug.watched_modules import arm_modules

_NO_GRADIENTS = (ModeKeys.EVAL, ModeKeys.PREDICT)
#: A second model becomes the one whose forwards are counted after so many calls, or so many steps of optimizers, in
#: which the first was not called.
_CALLS, _OPTIMIZER_STEPS = 8, 4


class Recording:
    """Counts the steps, decides at each whether something is saved, and if so puts in place what saves it: only then
    is there more than one hook on the model. Nothing here raises into the training: what fails is said, and stops."""

    def __init__(
        self, config: HookConfig, collections: Collections, counts: Counts, checkpoints: Checkpoints, output: Output
    ) -> None:
        self.mode = ModeKeys.GLOBAL
        self.counts = counts
        self.roots: list[Root] = []
        #: Where modes are not set by the script: what a forward of the root is.
        self.mode_of: Callable[[Root], ModeKeys] | None = None
        self._config, self._collections = config, collections
        self._checkpoints, self._output = checkpoints, output
        self._selection: Selection | None = None
        self._pid = os.getpid()
        self._off = False
        self._in_step = False
        self._accumulated = False
        self._open: OpenStep | None = None
        self._facts = StepFacts(None)
        self._gradients: GradientWatch | None = None
        self._handles: list[Any] = []
        self._clock: Root | None = None
        self._calls = 0
        self._since_clock = 0
        self._leading: set[str] = set()
        self._pending: list[Callable[[], None]] = []
        self._given: set[str] = set()
        self._optimizers = Optimizers(self)
        self.losses = LossWatch(self._saving, self.failed)
        gradient_clipping.listen(self)

    # The steps

    def forward_begins(self, root: Root, args: tuple[Any, ...]) -> None:
        """The root is called."""
        if self._off or traced():
            return
        try:
            if self._ticks(root):
                self._begin(root, args)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._stop(error)

    def set_mode(self, mode: ModeKeys) -> None:
        """What comes is of that mode."""
        if mode is not self.mode:
            self.finish()
            self.mode = mode

    def finish(self) -> None:
        """Hand over the step."""
        self._in_step = self._accumulated = False
        if self._open is None:
            return
        try:
            self._hand_over(self._open)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._stop(error)

    def close(self) -> None:
        """Hand over what there is; nothing is saved after it."""
        if self._pid != os.getpid():
            self._off = True
            return
        if not self._off and self._pending and not self._in_step:
            self._guarded_begin()
        self.finish()
        self._off = True
        self._remove_listeners()
        self._output.close(self.counts)

    def prepare(self) -> Selection:
        """Look at the collections, once: from here on they are as they are."""
        if self._selection is None:
            names: dict[Any, str] = {}
            for root in self.roots:
                names |= {module: stem for stem, _, module in root.submodules()}
            for collection in self._collections.all():
                collection.bind(names)
            included = self._config.included()
            for problem in self._collections.problems(included):
                self._output.tell(self.counts[ModeKeys.GLOBAL] + 1, str(problem))
            saved = self._collections.select(included, self._config.save_config, self._config.reduction_config)
            self._selection = Selection(self._collections, saved)
            self._output.collections = saved
        return self._selection

    def _ticks(self, root: Root) -> bool:
        """Whether this call begins a step. With several models the forwards of one of them are counted."""
        if self._clock is None:
            self._clock = root
        if root is not self._clock:
            self._calls += 1
            if self._in_step and self._calls < _CALLS and self._since_clock < _OPTIMIZER_STEPS:
                return False
            if self._calls >= _CALLS or self._since_clock >= _OPTIMIZER_STEPS:
                self._clock = root
        self._calls = self._since_clock = 0
        mode = self.mode_of(root) if self.mode_of else self.mode
        return not (
            self._config.step == "optimizer"
            and self._in_step
            and not self._accumulated
            and mode is self.mode
            and torch.is_grad_enabled()
            and mode not in _NO_GRADIENTS
        )

    def _guarded_begin(self) -> None:
        try:
            self._begin(None, ())
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._stop(error)

    def _begin(self, root: Root | None, args: tuple[Any, ...]) -> None:
        self.finish()
        if self._off or self._pid != os.getpid():
            self._off = True
            return
        if root is not None and self.mode_of is not None:
            self.mode = self.mode_of(root)
        selection = self._selection or self.prepare()
        counts = self.counts
        self._checkpoints.look(counts)
        step = counts[ModeKeys.GLOBAL] = counts[ModeKeys.GLOBAL] + 1
        if self.mode is not ModeKeys.GLOBAL:
            step = counts[self.mode] = counts.get(self.mode, self._output.first - 1) + 1
        self._in_step = True
        due = selection.due(self.mode, step)
        if due:
            self._open_step(root, due)
            self._arm(root, args)
        if self._pending:
            self._deliver()

    def _open_step(self, root: Root | None, due: tuple[str, ...]) -> OpenStep:
        number = self.counts[ModeKeys.GLOBAL]
        note = partial(self._note, number)
        self._open = OpenStep(number, self.mode, self.counts[self.mode], self.prepare(), due, note)
        self._facts = StepFacts(root or self._clock, self._optimizers.steps)
        return self._open

    def _hand_over(self, step: OpenStep) -> None:
        self._open = None
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        if step.empty:
            return
        if step.due:
            self._output.describe(step.step, self.roots, self._optimizers, self.losses.names)
        self._output.write(step.finished(self._facts.done(self._optimizers.rates())))

    # What is put in place for a step

    def _arm(self, root: Root | None, args: tuple[Any, ...]) -> None:
        step, selection = self._open, self.prepare()
        assert step is not None
        gradients = self._gradients = GradientWatch(step, self._facts, self.failed)
        by_hook = self.mode not in _NO_GRADIENTS and self._config.step == "forward"
        for each in self.roots:
            for named, parameter in each.parameters():
                self._save(named, parameter)
                if by_hook and parameter.requires_grad:
                    gradient = _gradient_of(named)
                    if step.wants(gradient):
                        self._handles.append(gradients.arm(gradient, parameter))
            self._handles += arm_modules(each, step, selection, self.failed, args if each is root else ())
        if root is not None:
            self._handles.append(root.outer.register_forward_hook(self._forward_ended, with_kwargs=True))
        self._handles += self.losses.arm()

    def _forward_ended(self, module: Any, args: Any, kwargs: Any, output: Any) -> None:  # noqa: ANN401
        try:
            self._facts.forward(args, kwargs, output)
        except Exception as error:  # noqa: BLE001 - the step is saved all the same
            self._note(self.counts[ModeKeys.GLOBAL], "the batch", f"was not looked at: {cause_of(error)}")

    def _save(self, named: Named, tensor: torch.Tensor) -> None:
        step = self._open
        if step is None:
            return
        try:
            step.add(named, tensor)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self.failed(named[0], named[1], error)

    # What is heard between

    def before_optimizer(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer takes a step."""
        self._since_clock += 1
        if self._open is None or not self._open.due or self._off:
            return
        try:
            self._facts.learning_rates(id(optimizer), self._optimizers.rates_of(optimizer))
            if self._config.step == "optimizer" and self.mode not in _NO_GRADIENTS:
                held = {id(p) for group in optimizer.param_groups for p in group["params"]}
                for each in self.roots:
                    for named, parameter in each.parameters():
                        if id(parameter) in held and parameter.grad is not None:
                            self._facts.backward()
                            self._save(_gradient_of(named), parameter.grad)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self.failed("gradient/", "gradient", error)

    def after_optimizer(self, optimizer: torch.optim.Optimizer) -> None:
        """It has taken it."""
        self._accumulated = True
        step = self._open
        if step is None or self._off or not {"optimizer_variables", "all"} & set(step.due):
            return
        names = {id(p): named for each in self.roots for named, p in each.parameters()}
        for named, value in state_of(optimizer, names):
            self._save(named, value)

    def clipped(self, norm: torch.Tensor | float, limit: float) -> None:
        """Gradients were clipped."""
        if self._open is not None:
            self._facts.clipped(norm.detach() if isinstance(norm, torch.Tensor) else norm, limit)

    def scaled(self, by: Callable[[], float]) -> None:
        """A loss was scaled before its backward: gradients are saved as those of the loss itself."""
        if self._open is not None and self._gradients is not None:
            self._gradients.scale = by()

    # What a script gives

    def give(self, name: str, deliver: Callable[[], None]) -> None:
        """Take something in: into the step that is there, or the next one. Something that was first given before a
        step began is meant for the step that follows, then and later: labels, saved on top of a loop's body."""
        if self._off or self._pid != os.getpid():
            return
        alone = not self.roots and self.mode_of is None
        if alone and name in self._given:
            # A script without a model: a step ends where a name comes again.
            if not self._in_step:
                self._guarded_begin()
            self.finish()
            self._given.clear()
        self._given.add(name)
        if self._in_step and name not in self._leading:
            self._guarded(deliver)
            return
        if not alone:
            self._leading.add(name)
        self._pending.append(deliver)

    def save_number(self, name: str, value: float, collections: Sequence[str]) -> None:
        """Into the present step, saved or not."""
        self._present().add_number(name, value, collections)

    def save_tensor(self, name: str, value: torch.Tensor, collections: Sequence[str]) -> None:
        """Into the present step, where one of the collections is due."""
        mode, step = self.mode, self.counts[self.mode]
        otherwise = Collection("", save_config=self._config.save_config)
        due = [one for one in collections if self.prepare().is_due(one, mode, step, otherwise)]
        if due:
            self._present().add((name, "custom", "", ""), value, collections=collections)

    def record(self, name: str, tensor: torch.Tensor) -> None:
        """A tensor by a name of the script's own, in the present step, where a collection holds it."""
        step = self._open
        if step is not None:
            kind: Any = "loss" if "loss" in name.lower() else "custom"
            self._save((step.next_name(f"{name}_output_"), kind, "", ""), tensor)

    def _present(self) -> OpenStep:
        return self._open or self._open_step(None, ())

    def _deliver(self) -> None:
        pending, self._pending = self._pending, []
        for deliver in pending:
            self._guarded(deliver)

    def _guarded(self, deliver: Callable[[], None]) -> None:
        try:
            deliver()
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._tell(f"a value could not be saved at step {self.counts[ModeKeys.GLOBAL]}: {cause_of(error)}")

    def _saving(self) -> tuple[OpenStep, StepFacts] | None:
        step = self._open
        return None if step is None or self._off or not step.due else (step, self._facts)

    # What goes wrong

    def failed(self, name: str, kind: str, error: Exception) -> None:
        """A tensor could not be saved: its collections stop."""
        step = self._open
        selection = self.prepare()
        holders = selection.holders((name, kind, "", ""))  # type: ignore[arg-type]
        stopped = [one for one in holders if step is None or one in step.due]
        if not stopped:
            self._stop(error)
            return
        selection.stop(stopped)
        if step is not None:
            step.drop(stopped)
        for one in stopped:
            self._tell(f"collection {one} stopped at step {self.counts[ModeKeys.GLOBAL]}: {cause_of(error)}")

    def _stop(self, error: Exception) -> None:
        """Nothing is saved any more."""
        if self._off:
            return
        self._off = True
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._remove_listeners()
        self._tell(f"saving stopped at step {self.counts[ModeKeys.GLOBAL]}: {cause_of(error)}")
        self._output.close(self.counts)

    def _remove_listeners(self) -> None:
        self._optimizers.close()
        self.losses.close()
        gradient_clipping.stop_listening(self)

    def _tell(self, text: str) -> None:
        self._output.tell(self.counts[ModeKeys.GLOBAL], text)

    def _note(self, step: int, name: str, text: str) -> None:
        self._output.note(step, f"{name}: {text}")


def _gradient_of(named: Named) -> Named:
    name, _, module, module_type = named
    return f"{GRADIENT}{name}", "gradient", module, module_type
