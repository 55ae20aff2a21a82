"""What is put into torch so that each step's phases are noted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.data import DataLoader
from torch.utils.data.dataloader import _BaseDataLoaderIter

from sagehound.profile.marks import BACKWARD, COPY, OPTIMIZER, Marks
from sagehound.profile.model_calls import ModelCalls
from sagehound.profile.pacing import Pacing
from sagehound.profile.patches import Patches

#: A loader's workers are started within its first step when no more time than this passes before the first batch.
_AT_ONCE_NS = 10**7

#: Told of a loader that is about to be iterated over.
Iterated = Callable[[Any], None]


class StepHooks:
    """Notes batches, copies to a device, calls of the trained models, backwards and steps of optimizers, of this
    process alone: in its forks nothing is noted."""

    def __init__(self, marks: Marks, pacing: Pacing, on_loader: Iterated) -> None:
        self.off = False
        self._marks, self._pacing, self._on_loader = marks, pacing, on_loader
        self.models = ModelCalls(marks, pacing)
        self._patches = Patches()
        self._optimizers: list[int] = []
        self._iterated = (0, 0, 0)
        self._handles = [
            register_optimizer_step_pre_hook(self._optimizer_begins),
            register_optimizer_step_post_hook(self._optimizer_ended),
        ]
        self._patches.put(torch.autograd, "backward", self._backward)
        self._patches.put(torch.nn.Module, "compile", self._compile)
        self._patches.put(_BaseDataLoaderIter, "__next__", self._next)
        self._patches.put(DataLoader, "__iter__", self._iterate)
        if _has_device():
            for name in ("to", "cuda"):
                self._patches.put(torch.Tensor, name, self._copy)

    def close(self) -> None:
        self.off = True
        for handle in self._handles:
            handle.remove()
        self._patches.close()
        self.models.close()

    def _optimizer_begins(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ANN401
        if torch.compiler.is_compiling() or self.off:
            return
        self.models.optimizer_steps(optimizer)
        self._optimizers = [*self._optimizers[-3:], perf_counter_ns()]

    def _optimizer_ended(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ANN401
        if torch.compiler.is_compiling() or not self._optimizers:
            return
        self._marks.append((OPTIMIZER, self._optimizers.pop(), perf_counter_ns(), None))
        self._pacing.optimized()

    def _backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def backward(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            start_ns = perf_counter_ns()
            try:
                return original(*args, **kwargs)
            finally:
                self._marks.append((BACKWARD, start_ns, perf_counter_ns(), None))

        return backward

    def _compile(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def compile(module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            original(module, *args, **kwargs)
            self.models.compiled_in_place(module)

        return compile

    def _next(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __next__(iterator: Any) -> Any:  # noqa: ANN401, N807
            if self.off:
                return original(iterator)
            start_ns = perf_counter_ns()
            try:
                batch = original(iterator)
            except StopIteration:
                self._pacing.exhausted(start_ns)
                raise
            known, began_ns, ready_ns = self._iterated
            if known == id(iterator):
                self._iterated = (0, 0, 0)
                start_ns = began_ns if start_ns - ready_ns < _AT_ONCE_NS else start_ns
            self._pacing.pulled(id(iterator), start_ns, perf_counter_ns())
            return batch

        return __next__

    def _iterate(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __iter__(loader: Any) -> Any:  # noqa: ANN401, N807
            if self.off:
                return original(loader)
            start_ns = perf_counter_ns()
            iterator = original(loader)
            self._iterated = (id(iterator), start_ns, perf_counter_ns())
            self._on_loader(loader)
            return iterator

        return __iter__

    def _copy(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def copy(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            start_ns = perf_counter_ns()
            moved = original(tensor, *args, **kwargs)
            if moved is not tensor and tensor.device.type == "cpu" and moved.device.type != "cpu":
                self._marks.append((COPY, start_ns, perf_counter_ns(), None))
            return moved

        return copy


def _has_device() -> bool:
    """Whether there may be another device than the CPU. CUDA is not asked: a process that asked cannot be forked into
    one that uses it."""
    if torch.version.cuda or torch.version.hip:
        return any(Path(node).exists() for node in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"))
    return torch.backends.mps.is_available()
