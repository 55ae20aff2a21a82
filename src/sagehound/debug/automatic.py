"""The hook of a training that registers none: it finds the model that is trained.

Every module that is called outside of any other is looked at, until it is known what is trained; then only that one
keeps a hook. It is looked again when an optimizer appears that was not there before.
"""

from __future__ import annotations

import re
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle

from sagehound.debug.config.hook_config import HookConfig, config_file
from sagehound.debug.hook import Hook
from sagehound.debug.modes import ModeKeys
from sagehound.debug.recording.clock import trains
from sagehound.debug.recording.current import current_hook
from sagehound.debug.recording.naming import tensors_in
from sagehound.debug.recording.root import Root
from sagehound.watching.trouble import cause_of, say

#: A new optimizer is given so many steps to show what it trains.
_STEPS_TO_SEE = 3
_LOSS = re.compile(r"loss|criterion", re.IGNORECASE)


def install(config_path: str | None = None) -> Hook | None:
    """Hook whatever this process trains, as the JSON configuration says. What cannot be done is printed, and there is
    no hook then."""
    try:
        file = config_file(config_path).absolute()
        return install_with(HookConfig.from_json_file(config_path), file)
    except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
        say("debug", f"nothing is saved: {cause_of(error)}")
        return None


def install_with(config: HookConfig, file: Any = None) -> Hook:  # noqa: ANN401 - the path of the configuration, if any
    """Hook whatever this process trains, as `config` says. A hook that the script makes itself takes its place; the one
    that it asks for with `get_hook` or `create_from_json_file` is this one."""
    hook = Hook.from_config(config, automatic=True)
    hook.file = file
    finder = _Finder(hook)
    hook.on_release = finder.stop
    return hook


class _Finder:
    """Looks for the models that are trained, and for losses that are modules of the script's own."""

    def __init__(self, hook: Hook) -> None:
        self._recording = hook.recording
        self._recording.mode_of = self._mode
        self._recording.on_armed = self._watch_losses
        self._recording.on_compiled = self._compiled_in_place
        self._depth = 0
        self._handles: list[RemovableHandle] = []
        self._losses: list[RemovableHandle] = []
        self._frozen: list[tuple[weakref.ref[torch.nn.Module], set[int]]] = []
        self._known: weakref.WeakSet[torch.optim.Optimizer] = weakref.WeakSet()
        self._until = _STEPS_TO_SEE
        self._learns_in_eval = False
        self._optimizer_hook = register_optimizer_step_pre_hook(self._optimizer_steps)
        # torch.compile warns of the hooks below, which are gone by the time that the compiled model runs.
        warnings.filterwarnings("ignore", message=r".*there are global hooks on modules.*")
        self._look()

    def stop(self) -> None:
        """The script registers its model itself."""
        self._optimizer_hook.remove()
        self._look_no_more()
        self._recording.mode_of = None
        self._recording.on_armed = self._recording.on_compiled = None
        self._recording.drop_roots()

    # Looking

    def _look(self) -> None:
        if not self._handles:
            self._depth = 0
            self._handles = _everywhere(self._enter, self._leave)

    def _look_no_more(self) -> None:
        for handle in (*self._handles, *self._losses):
            handle.remove()
        self._handles.clear()
        self._losses.clear()
        self._frozen.clear()

    def _enter(self, module: torch.nn.Module, args: Any) -> None:  # noqa: ANN401
        if torch.compiler.is_compiling():
            return
        self._depth += 1
        if self._depth == 1 and self._handles:
            try:
                self._outermost(module, args)
            except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
                say("debug", f"{type(module).__name__} is not looked at: {cause_of(error)}")

    def _leave(self, module: torch.nn.Module, args: Any, output: Any = None) -> None:  # noqa: ANN401
        if torch.compiler.is_compiling():
            return
        self._depth = max(0, self._depth - 1)
        if self._depth == 0 and self._handles and not trains(module) and any(True for _ in module.parameters()):
            self._frozen = [*self._frozen[-3:], (weakref.ref(module), _addresses(output))]

    def _outermost(self, module: torch.nn.Module, args: Any) -> None:  # noqa: ANN401
        roots = self._recording.roots
        if any(root.outer is module for root in roots) or not torch.is_grad_enabled() or not trains(module):
            return
        if roots and self._recording.in_step and _LOSS.search(type(module).__name__):
            return
        self._forget_old(module)
        first = not roots
        taken = _addresses(args)
        for reference, gave in self._frozen:
            found = reference()
            if first and found is not None and gave & taken and all(root.outer is not found for root in roots):
                self._recording.add_root(Root(found))
        root = Root(module)
        self._recording.add_root(root)
        if root.compiled:
            self._look_no_more()
        self._recording.forward_begins(root, args if isinstance(args, tuple) else (args,))

    def _compiled_in_place(self, module: torch.nn.Module) -> None:
        """Within a compiled call no hook is heard: a model that is compiled is taken for the one that is trained."""
        if self._handles and trains(module) and all(root.outer is not module for root in self._recording.roots):
            self._forget_old(module)
            self._recording.add_root(Root(module))
            self._look_no_more()

    def _forget_old(self, module: torch.nn.Module) -> None:
        """Models that are a part of this one; and if the one whose steps are counted was trained since it was called,
        this one may have come in its place."""
        within = {id(one) for one in module.modules()}
        for root in list(self._recording.roots):
            if id(root.outer) in within:
                self._recording.drop_root(root)
        if self._recording.idle:
            self._recording.clock.reset()

    def _optimizer_steps(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:  # noqa: ANN401
        if optimizer not in self._known:
            self._known.add(optimizer)
            self._until = self._recording.optimizers.steps + _STEPS_TO_SEE
            if not any(root.compiled for root in self._recording.roots):
                self._look()
        elif self._handles and self._recording.optimizers.steps > self._until:
            self._drop_untrained()
            self._look_no_more()
        if self._recording.mode is ModeKeys.EVAL and self._recording.in_step:
            self._learns_in_eval = True
            self._recording.wake()

    def _drop_untrained(self) -> None:
        """Models that are not called any more; and those that no optimizer holds, where one holds another: teachers
        that are called with gradients on."""
        for root in list(self._recording.roots):
            if root.called_at < self._until - _STEPS_TO_SEE:
                self._recording.drop_root(root)
        held = self._recording.optimizers.held()
        trained = [r for r in self._recording.roots if any(id(p) in held for p in r.module.parameters())]
        for root in list(self._recording.roots) if trained else []:
            if root not in trained and trains(root.module):
                self._recording.drop_root(root)

    # What a forward is

    def _mode(self, root: Root) -> ModeKeys:
        """TRAIN where the model is in training mode with gradients on, or learns in evaluation mode all the same."""
        if trains(root.module):
            learns = torch.is_grad_enabled() and (root.module.training or self._learns_in_eval)
        else:
            learns = any(one.module.training for one in self._recording.roots if trains(one.module))
        return ModeKeys.TRAIN if learns else ModeKeys.EVAL

    def _watch_losses(self) -> list[RemovableHandle]:
        """For one step, hear of the script's own loss modules too."""
        if any(root.compiled for root in self._recording.roots):
            return []
        self._depth = 1
        return _everywhere(self._enter_loss, self._leave_loss)

    def _enter_loss(self, module: torch.nn.Module, args: Any) -> None:  # noqa: ANN401
        if _LOSS.search(type(module).__name__) and not self._is_root(module):
            self._recording.losses.enter(module, args)

    def _leave_loss(self, module: torch.nn.Module, args: Any, output: Any = None) -> None:  # noqa: ANN401
        if output is not None:
            self._recording.losses.leave(module, args, output)

    def _is_root(self, module: torch.nn.Module) -> bool:
        return any(module in (root.outer, root.module) for root in self._recording.roots)


def _everywhere(enter: Callable[..., None], leave: Callable[..., None]) -> list[RemovableHandle]:
    """Hooks on every module there is; `leave` comes also after an exception, where this torch can do that."""
    handles = [register_module_forward_pre_hook(enter)]
    try:
        return [*handles, register_module_forward_hook(leave, always_call=True)]
    except TypeError:
        return [*handles, register_module_forward_hook(leave)]


def _addresses(value: Any) -> set[int]:  # noqa: ANN401
    """Where the tensors' values are."""
    return {tensor.data_ptr() for tensor in tensors_in(value) if tensor.layout is torch.strided and not tensor.is_meta}


def installed() -> bool:
    """Whether this process has the automatic hook."""
    hook = current_hook()
    return isinstance(hook, Hook) and hook.automatic
