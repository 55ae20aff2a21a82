"""The steps of a training, from one forward to the next: what is put in place for each, and what is handed over."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle

from sagehound.debug.config.collection import Collection
from sagehound.debug.config.collections import Collections
from sagehound.debug.config.hook_config import HookConfig
from sagehound.debug.config.selection import Selection
from sagehound.debug.modes import ModeKeys
from sagehound.debug.recording import compiled, gradient_clipping
from sagehound.debug.recording.arming import Arming
from sagehound.debug.recording.capture import traced
from sagehound.debug.recording.clock import Clock, trains
from sagehound.debug.recording.given_values import GivenValues
from sagehound.debug.recording.loss_watch import LossWatch
from sagehound.debug.recording.open_step import OpenStep
from sagehound.debug.recording.optimizers import Optimizers, state_of
from sagehound.debug.recording.output import Output
from sagehound.debug.recording.quiet_steps import LOOK_AHEAD, QuietSteps
from sagehound.debug.recording.resume import Checkpoints, Counts
from sagehound.debug.recording.root import Root
from sagehound.debug.recording.step_facts import StepFacts
from sagehound.debug.store.records import Facts
from sagehound.watching.trouble import cause_of, say

_NO_GRADIENTS = (ModeKeys.EVAL, ModeKeys.PREDICT)


class Recording:
    """Counts the steps, decides at each whether something is saved, and if so puts in place what saves it: only then
    is there more than one hook on the model. Nothing here raises into the training: what fails is said, and stops."""

    def __init__(
        self, config: HookConfig, collections: Collections, counts: Counts, checkpoints: Checkpoints, output: Output
    ) -> None:
        self.mode = ModeKeys.GLOBAL
        self._counts = counts
        self._quiet = QuietSteps()
        self.roots: list[Root] = []
        #: Asked for more hooks at each step that is saved.
        self.on_armed: Callable[[], list[RemovableHandle]] | None = None
        #: Told of modules whose own call is compiled.
        self.on_compiled: Callable[[torch.nn.Module], None] | None = None
        #: Where modes are not set by the script: what a forward of the root is.
        self.mode_of: Callable[[Root], ModeKeys] | None = None
        self.in_step = False
        self.clock = Clock()
        self.given = GivenValues(self)
        self._config, self._collections = config, collections
        self.checkpoints, self.output = checkpoints, output
        self._selection: Selection | None = None
        self._pid = os.getpid()
        self._off = False
        self._accumulated = False
        self._open: OpenStep | None = None
        self._arming: Arming | None = None
        self._facts = StepFacts(None)
        self.optimizers = Optimizers(self)
        self.losses = LossWatch(self._saving, self.failed)
        gradient_clipping.listen(self)
        compiled.listen(self)

    # The models

    def add_root(self, root: Root) -> None:
        """Save from that model when it is called."""
        self.roots.append(root)
        self.wake()
        root.move(root.outer, self.forward_begins)

    def drop_root(self, root: Root) -> None:
        """Save from it no more."""
        root.leave()
        self.roots.remove(root)
        self.wake()
        if self.clock.root is root:
            self.clock.reset()

    def drop_roots(self) -> None:
        """Save from none of them."""
        for root in list(self.roots):
            self.drop_root(root)

    # The steps

    def forward_begins(self, root: Root, args: tuple[Any, ...]) -> None:
        """The root is called."""
        if self._off or traced(args):
            return
        root.called_at = self.optimizers.steps
        if self._passes(root):
            return
        try:
            known = self.clock.root
            ticks = self.clock.ticks(root)
            if known is not self.clock.root:
                self.wake()
            if ticks and not self._goes_on(root):
                self._begin(root)
            if self._arming is not None:
                self._arming.join(root, args)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._stop(error)

    def set_mode(self, mode: ModeKeys) -> None:
        """What comes is of that mode."""
        if mode is not self.mode:
            self.finish()
            self.mode = mode

    def finish(self) -> None:
        """Hand over the step."""
        self._rouse()
        self.in_step = self._accumulated = False
        if self._open is None or self._pid != os.getpid():
            return
        try:
            self._hand_over(self._open)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._stop(error)

    def close(self) -> None:
        """Hand over what there is; nothing is saved after it."""
        if self._pid == os.getpid() and not self._off:
            if self.given.waiting and not self.in_step:
                self.begin_alone()
            self.finish()
            self._look_for_checkpoints(now=True)
            if self.counts[ModeKeys.GLOBAL] < 0 and self.roots and self.optimizers.steps:
                self._tell(
                    f"no step was seen: the training did not call the registered {self.roots[0].name}. Register the "
                    "module that the loop calls (what torch.compile returned, say)"
                )
        self._off = True
        self._remove_listeners()
        self.output.close(self.counts)

    def _look_for_checkpoints(self, now: bool = False) -> None:
        try:
            self.checkpoints.look(self.counts, now)
        except Exception as error:  # noqa: BLE001 - the tensors are saved all the same
            self._tell(f"the step counters are not kept beside the checkpoints: {cause_of(error)}")

    def leave(self) -> Counts:
        """Let go of the training, for another recording to go on at these counters."""
        self._off = True
        self._remove_listeners()
        return self.counts

    def begin_alone(self) -> None:
        """A step without a forward."""
        try:
            self._begin(None)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._stop(error)

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
                self._tell(str(problem))
            saved = self._collections.select(included, self._config.save_config, self._config.reduction_config)
            self._selection = Selection(self._collections, saved)
            self.output.collections = saved
        return self._selection

    def _goes_on(self, root: Root) -> bool:
        """Whether the step lasts until an optimizer ends it."""
        mode = self.mode_of(root) if self.mode_of else self.mode
        return (
            self._config.step == "optimizer"
            and self.in_step
            and not self._accumulated
            and mode is self.mode
            and mode not in _NO_GRADIENTS
            and torch.is_grad_enabled()
        )

    def _begin(self, root: Root | None) -> None:
        if not self._is_own_process():
            self._off = True
            return
        self.finish()
        if self._off:
            return
        if root is not None and self.mode_of is not None:
            self.mode = self.mode_of(root)
        selection = self._selection or self.prepare()
        counts = self.counts
        self._look_for_checkpoints()
        step = counts[ModeKeys.GLOBAL] = counts[ModeKeys.GLOBAL] + 1
        if self.mode is not ModeKeys.GLOBAL:
            step = counts[self.mode] = counts.get(self.mode, -1) + 1
        self.in_step = True
        due = () if self.output.silent else selection.due(self.mode, step)
        if due:
            self.optimizers.wake()
            opened = self._open_step(due)
            by_hook = self._config.step == "forward" and self.mode not in _NO_GRADIENTS
            self._arming = Arming(opened, self._facts, selection, self.failed, by_hook)
            self._arming.add([*self.losses.arm(), self.optimizers.hear_before()])
            if self.on_armed is not None:
                self._arming.add(self.on_armed())
        if self.given.waiting:
            self.given.step_began()
        if root is not None and self._open is None:
            self._expect_quiet(root, selection, step)

    def _expect_quiet(self, root: Root, selection: Selection, step: int) -> None:
        if self._config.step == "forward" and (self.mode_of is None or trains(root.module)):
            silent = self.output.silent
            self._quiet.begin(root, LOOK_AHEAD if silent else selection.quiet(self.mode, step, LOOK_AHEAD))

    def _passes(self, root: Root) -> bool:
        """Whether nothing is to be done at this call but to count it."""
        quiet = self._quiet
        if root is not quiet.root or not quiet.left or perf_counter() >= self.checkpoints.next_look:
            return False
        if self.mode_of is not None and not quiet.alike(root):
            return False
        quiet.left -= 1
        self.clock.again()
        return True

    def wake(self) -> None:
        """Something changed: look at the next step, and at every optimizer, anew."""
        self._rouse()
        self.optimizers.wake()

    def _rouse(self) -> None:
        self._quiet.end()
        self._settle()

    def _settle(self) -> None:
        passed = self._quiet.passed()
        if passed:
            self._counts[ModeKeys.GLOBAL] += passed
            if self.mode is not ModeKeys.GLOBAL:
                self._counts[self.mode] += passed

    @property
    def counts(self) -> Counts:
        """The last step that was counted, by mode."""
        self._settle()
        return self._counts

    @property
    def idle(self) -> bool:
        """Whether optimizers have stepped since the model whose steps are counted was called."""
        return self.clock.root is not None and self.optimizers.steps > self.clock.root.called_at

    def _open_step(self, due: tuple[str, ...]) -> OpenStep:
        self._rouse()
        number = self.counts[ModeKeys.GLOBAL]
        note = partial(self._note, number)
        self._open = OpenStep(number, self.mode, self.counts[self.mode], self.prepare(), due, note)
        self._facts = StepFacts(self._main(), self.optimizers.steps)
        return self._open

    def _main(self) -> Root | None:
        """The model that is trained, where another one is called before it."""
        return next((root for root in self.roots if trains(root.module)), self.clock.root)

    def _hand_over(self, step: OpenStep) -> None:
        self._open = None
        self._disarm()
        if step.empty:
            return
        if step.due:
            self.output.describe(step.step, self.roots, self.optimizers, self.losses.names)
        self.output.write(step.finished(self._noticed(step)))

    def _noticed(self, step: OpenStep) -> Facts | None:
        try:
            return self._facts.done(self.optimizers.rates())
        except Exception as error:  # noqa: BLE001 - the tensors are saved all the same
            step.tell("what else was noticed", f"is not saved: {cause_of(error)}")
            return None

    def _disarm(self) -> None:
        if self._arming is not None:
            self._arming.remove()
            self._arming = None

    def _is_own_process(self) -> bool:
        """Whether this process may write. A fork of the one that made the hook takes over where nothing was seen yet;
        else it leaves the parent's tensors alone."""
        if self._pid == os.getpid():
            return True
        if self.counts[ModeKeys.GLOBAL] < 0 and self.output.untouched:
            self._pid = os.getpid()
            return True
        if torch.is_grad_enabled():
            say(
                "debug",
                f"process {os.getpid()} is a fork of {self._pid}, which saves its tensors: this one saves nothing",
            )
        return False

    # What is heard between

    def before_optimizer(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer takes a step."""
        if self._arming is None or self._off:
            return
        try:
            self._facts.learning_rates(id(optimizer), self.optimizers.rates_of(optimizer))
            if self._config.step == "optimizer" and self.mode not in _NO_GRADIENTS:
                self._arming.save_gradients({id(p) for group in optimizer.param_groups for p in group["params"]})
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._stop(error)

    def after_optimizer(self, optimizer: torch.optim.Optimizer) -> bool:
        """It has taken it. True where the next ones need only be counted, until something is saved."""
        self._accumulated = True
        own = self.clock.optimizer_steps(optimizer)
        if self._arming is None or self._open is None or self._off:
            return own and self._config.step == "forward" and self._arming is None
        if self.mode in _NO_GRADIENTS:
            return False
        try:
            if {"optimizer_variables", "all"} & set(self._open.due):
                for named, value in state_of(optimizer, self._arming.names()):
                    self._arming.save(named, value)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._stop(error)
        return False

    def clipped(self, norm: torch.Tensor | float, limit: float) -> None:
        """Gradients were clipped."""
        if self._open is not None:
            self._facts.clipped(norm.detach() if isinstance(norm, torch.Tensor) else norm, limit)

    def scaled(self, by: Callable[[], float]) -> None:
        """A loss was scaled before its backward: gradients are saved as those of the loss itself."""
        if self._arming is not None:
            self._arming.gradients.scale = by()

    def compiled(self, module: torch.nn.Module, caller: torch.nn.Module) -> None:
        """The training calls a compiled module in the place of that one."""
        for root in self.roots:
            if root.outer is module:
                root.move(caller, self.forward_begins)

    def compiled_in_place(self, module: torch.nn.Module) -> None:
        """The module's own call is compiled."""
        if self.on_compiled is not None:
            self.on_compiled(module)
        for root in self.roots:
            if root.outer is module:
                root.move(module, self.forward_begins)

    # What a script gives

    @property
    def has_model(self) -> bool:
        return bool(self.roots) or self.mode_of is not None

    def give(self, name: str, deliver: Callable[[], None]) -> None:
        """Take a value in; see GivenValues."""
        if not self._off and self._pid == os.getpid() and not self.output.silent:
            self.given.give(name, deliver)
            if self.given.waiting:
                self._rouse()

    def deliver(self, value: Callable[[], None]) -> None:
        """Take a value in now."""
        try:
            value()
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self._tell(f"a value could not be saved at step {self.counts[ModeKeys.GLOBAL]}: {cause_of(error)}")

    def save_number(self, name: str, value: float, collections: Sequence[str]) -> None:
        """Into the present step, whether it is one to be saved or not."""
        (self._open or self._open_step(())).add_number(name, value, collections)

    def save_tensor(self, name: str, value: torch.Tensor, collections: Sequence[str]) -> None:
        """Into the present step, where one of the collections is due."""
        mode, step = self.mode, self.counts[self.mode]
        otherwise = Collection("", save_config=self._config.save_config)
        if any(self.prepare().is_due(one, mode, step, otherwise) for one in collections):
            (self._open or self._open_step(())).add((name, "custom", "", ""), value, collections=collections)

    def record(self, name: str, tensor: torch.Tensor) -> None:
        """A tensor by a name of the script's own, in the present step, where a collection holds it."""
        step = self._open
        if step is None:
            return
        full = step.next_name(f"{name}_output_")
        try:
            step.add((full, "loss" if "loss" in name.lower() else "custom", "", ""), tensor)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            self.failed(full, "custom", error)

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
        self._disarm()
        self._remove_listeners()
        self._tell(f"saving stopped at step {self.counts[ModeKeys.GLOBAL]}: {cause_of(error)}")
        self.output.close(self.counts)

    def _remove_listeners(self) -> None:
        self.optimizers.close()
        self.losses.close()
        gradient_clipping.stop_listening(self)
        compiled.stop_listening(self)
        for root in self.roots:
            root.leave()

    def _tell(self, text: str) -> None:
        self.output.tell(self.counts[ModeKeys.GLOBAL], text)

    def _note(self, step: int, name: str, text: str) -> None:
        self.output.note(step, f"{name}: {text}")
