"""Models that torch.compile has compiled: within them a hook would be compiled too, so it stays outside."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, Protocol

import torch
from torch.utils.hooks import RemovableHandle

from sagehound.debug.recording.swapped_code import put_around, take_away


class CompileListener(Protocol):
    """Told of a module that was compiled: `caller` is what the training calls from now on."""

    def compiled(self, module: torch.nn.Module, caller: torch.nn.Module) -> None: ...
    def compiled_in_place(self, module: torch.nn.Module) -> None: ...


_listeners: list[CompileListener] = []


def listen(listener: CompileListener) -> None:
    """Hear of every module that is compiled from now on."""
    if not _listeners:
        for function, around in _watched():
            put_around(function, around)
    _listeners.append(listener)


def stop_listening(listener: CompileListener) -> None:
    """Hear of no more."""
    if listener in _listeners:
        _listeners.remove(listener)
        if not _listeners:
            for function, _ in _watched():
                take_away(function)


def run_eagerly(module: torch.nn.Module) -> _Eagerly | None:
    """Until its call has ended, what torch.compile returned for a module runs uncompiled. None where this torch cannot
    do that."""
    if not hasattr(torch.compiler, "set_stance"):
        return None
    return _Eagerly(module)


class _Eagerly:
    """Ends with the module's call, however it ends, or when it is removed."""

    def __init__(self, module: torch.nn.Module) -> None:
        self._stance: Any = torch.compiler.set_stance("force_eager")
        self._stance.__enter__()
        self._handle: RemovableHandle | None = module.register_forward_hook(self._end, always_call=True)

    def remove(self) -> None:
        self._end()

    def _end(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
            self._stance.__exit__(None, None, None)


def _watched() -> list[tuple[FunctionType, Callable[..., Any]]]:
    found: list[tuple[Any, Callable[..., Any]]] = [(torch.compile, _compile), (torch.nn.Module.compile, _in_place)]
    return [(f, around) for f, around in found if isinstance(f, FunctionType) and not f.__code__.co_freevars]


def _compile(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
    made = original(*args, **kwargs)
    if isinstance(made, torch.nn.Module) and args and isinstance(args[0], torch.nn.Module):
        for listener in _listeners:
            listener.compiled(args[0], made)
    return made


def _in_place(original: Callable[..., Any], module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
    original(module, *args, **kwargs)
    for listener in _listeners:
        listener.compiled_in_place(module)
