"""Hearing of gradients that are clipped, and of losses that are scaled."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any, Protocol

import torch

from sagehound.debug.recording.swapped_code import put_around, take_away


class GradientListener(Protocol):
    """Told of what is done to gradients. It must not raise."""

    def clipped(self, norm: torch.Tensor | float, limit: float) -> None: ...
    def scaled(self, by: Callable[[], float]) -> None: ...


_listeners: list[GradientListener] = []


def listen(listener: GradientListener) -> None:
    """Hear of `clip_grad_norm_` and of every GradScaler, however scripts imported them."""
    if not _listeners:
        for function, around in _watched():
            put_around(function, around)
    _listeners.append(listener)


def stop_listening(listener: GradientListener) -> None:
    """Hear of them no more."""
    if listener in _listeners:
        _listeners.remove(listener)
        if not _listeners:
            for function, _ in _watched():
                take_away(function)


def _watched() -> list[tuple[FunctionType, Callable[..., Any]]]:
    scaler = getattr(torch.amp, "GradScaler", None) or torch.cuda.amp.GradScaler
    found: list[tuple[Any, Callable[..., Any]]] = [
        (inspect.unwrap(torch.nn.utils.clip_grad_norm_), _clip),
        (scaler.scale, _scale),
    ]
    return [(f, around) for f, around in found if isinstance(f, FunctionType) and not f.__code__.co_freevars]


def _clip(original: Callable[..., Any], parameters: Any, max_norm: float, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
    norm = original(parameters, max_norm, *args, **kwargs)
    for listener in _listeners:
        listener.clipped(norm, float(max_norm))
    return norm


def _scale(original: Callable[..., Any], scaler: Any, outputs: Any) -> Any:  # noqa: ANN401
    scaled = original(scaler, outputs)
    for listener in _listeners:
        listener.scaled(scaler.get_scale)
    return scaled
