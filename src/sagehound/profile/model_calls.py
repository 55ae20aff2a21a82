"""The models that a training calls: found, and told of each call."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from time import perf_counter_ns
from typing import Any

import torch
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils.hooks import RemovableHandle

from sagehound.profile.marks import FORWARD, Marks
from sagehound.profile.pacing import Pacing
from sagehound.profile.trace_format import EVAL, TRAIN
from sagehound.watching.trouble import cause_of, say

#: A new optimizer is given so many steps of optimizers to show what it trains.
_STEPS_TO_SEE = 3

#: Told of a model and the arguments that it is called with.
Called = Callable[[torch.nn.Module, tuple[Any, ...]], None]


class ModelCalls:
    """Looks at every module that is called outside of any other, until it is known which ones are trained; then only
    these keep a hook. It looks again when an optimizer appears that was not there before. `on_call` is told of the next
    call of a model after each time it was set."""

    def __init__(self, marks: Marks, pacing: Pacing) -> None:
        self.on_call: Called | None = None
        self.compiled = False
        #: Of the last call that ended.
        self.mode = TRAIN
        self._marks, self._pacing = marks, pacing
        self._depth = 0
        self._handles: list[RemovableHandle] = []
        self._models: weakref.WeakKeyDictionary[torch.nn.Module, Model] = weakref.WeakKeyDictionary()
        self._known: weakref.WeakSet[torch.optim.Optimizer] = weakref.WeakSet()
        self._optimizer_steps = 0
        self._until = _STEPS_TO_SEE
        # torch.compile warns of the hooks below, which are gone by the time that the compiled model runs.
        warnings.filterwarnings("ignore", message=r".*there are global hooks on modules.*")
        self._look()

    def close(self) -> None:
        self._look_no_more()
        for model in list(self._models.values()):
            model.leave()
        self._models.clear()

    def optimizer_steps(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer takes a step."""
        self._optimizer_steps += 1
        if optimizer not in self._known:
            self._known.add(optimizer)
            self._until = self._optimizer_steps + _STEPS_TO_SEE
            if not self.compiled:
                self._look()
        elif self._handles and self._optimizer_steps > self._until:
            self._look_no_more()

    def compiled_in_place(self, module: torch.nn.Module) -> None:
        """Within a compiled call no hook is heard: a model that is compiled is taken for one that is trained."""
        if trains(module) and module not in self._models:
            self._add(module)

    def begins(self, module: torch.nn.Module, args: tuple[Any, ...]) -> int:
        """A model is called; the time it is."""
        told, self.on_call = self.on_call, None
        if told is not None:
            told(module, args)
        return self._pacing.called(id(module))

    def ended(self, module: torch.nn.Module, start_ns: int) -> None:
        """Its call has ended, or failed."""
        self.mode = TRAIN if module.training and torch.is_grad_enabled() else EVAL
        self._marks.append((FORWARD, start_ns, perf_counter_ns(), self.mode))

    def _look(self) -> None:
        if not self._handles:
            self._depth = 0
            self._handles = [
                register_module_forward_pre_hook(self._enter),
                register_module_forward_hook(self._leave, always_call=True),
            ]

    def _look_no_more(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _enter(self, module: torch.nn.Module, args: Any) -> None:  # noqa: ANN401
        if torch.compiler.is_compiling():
            return
        self._depth += 1
        if self._depth == 1 and self._handles and module not in self._models:
            try:
                self._outermost(module, args)
            except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
                say("profile", f"calls of {type(module).__name__} are not timed: {cause_of(error)}")

    def _leave(self, module: torch.nn.Module, args: Any, output: Any = None) -> None:  # noqa: ANN401
        if not torch.compiler.is_compiling():
            self._depth = max(0, self._depth - 1)

    def _outermost(self, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        if torch.is_grad_enabled() and trains(module):
            # Hooks that are added now are heard from its next call on, but for the one after the call.
            self._add(module).begin(module, args)

    def _add(self, module: torch.nn.Module) -> Model:
        model = self._models[module] = Model(module, self)
        if model.compiled:
            self.compiled = True
            self._look_no_more()
        return model


class Model:
    """The hooks of one model. They are no part of it: a copy or a pickle of the model has functions in their place that
    do nothing, and that need nothing of this package. Where the module's own call is compiled, which would compile the
    hooks too, they stand around that call."""

    def __init__(self, module: torch.nn.Module, calls: ModelCalls) -> None:
        self._module = weakref.ref(module)
        self._calls = calls
        self._started: list[int] = []
        self._inner = getattr(module, "_compiled_call_impl", None)
        self._handles: list[RemovableHandle] = []
        if self._inner is not None:
            module._compiled_call_impl = _Around(self, module, self._inner)
        else:
            self._handles.append(module.register_forward_pre_hook(_Before(self)))
            self._handles.append(module.register_forward_hook(_After(self), always_call=True))

    @property
    def compiled(self) -> bool:
        return self._inner is not None or hasattr(self._module(), "_orig_mod")

    def begin(self, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        if module is self._module():
            self._started.append(self._calls.begins(module, args))

    def end(self, module: torch.nn.Module) -> None:
        if self._started and module is self._module():
            self._calls.ended(module, self._started.pop())

    def leave(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        module = self._module()
        if self._inner is not None and module is not None:
            module._compiled_call_impl = self._inner


class _Hook:
    """What is copied or pickled of it does nothing."""

    __slots__ = ("_model",)

    def __init__(self, model: Model) -> None:
        self._model = model

    def __deepcopy__(self, memo: object) -> Callable[..., Any]:
        return nullcontext().__exit__

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return getattr, (nullcontext(), "__exit__")


class _Before(_Hook):
    def __call__(self, module: torch.nn.Module, args: Any) -> None:  # noqa: ANN401
        if not torch.compiler.is_compiling():
            self._model.begin(module, args)


class _After(_Hook):
    def __call__(self, module: torch.nn.Module, args: Any, output: Any) -> None:  # noqa: ANN401
        if not torch.compiler.is_compiling():
            self._model.end(module)


class _Around:
    def __init__(self, model: Model, module: torch.nn.Module, inner: Callable[..., Any]) -> None:
        self._model, self._module, self._inner = model, weakref.ref(module), inner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        module = self._module()
        if module is None:
            return self._inner(*args, **kwargs)
        self._model.begin(module, args)
        try:
            return self._inner(*args, **kwargs)
        finally:
            self._model.end(module)


def trains(module: torch.nn.Module) -> bool:
    """Whether it has parameters that are trained."""
    return any(parameter.requires_grad for parameter in module.parameters())
