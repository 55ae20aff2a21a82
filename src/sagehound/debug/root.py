"""A registered model: its parameters and modules by the names that their tensors have."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from sagehound.debug.naming import parameter_kind, unwrapped
from sagehound.debug.selection import Named
from sagehound.debug.store.records import ModuleInfo, ParameterInfo


class Root:
    """`outer` is the module that the training calls; `module` the user's own within it, by whose class parameters are
    named. The model is looked through anew each time it is asked for, because scripts change models."""

    def __init__(self, outer: torch.nn.Module) -> None:
        self.outer = outer
        self.module = unwrapped(outer)
        self.name = type(self.module).__name__
        self._named: dict[str, Named] = {}

    @property
    def compiled(self) -> bool:
        return hasattr(self.outer, "_orig_mod") or getattr(self.module, "_compiled_call_impl", None) is not None

    def parameters(self) -> Iterator[tuple[Named, torch.nn.Parameter]]:
        """Its parameters that have values, each once."""
        for dotted, parameter in self.module.named_parameters():
            if not torch.nn.parameter.is_lazy(parameter):
                yield self._name(dotted), parameter

    def submodules(self) -> Iterator[tuple[str, str, torch.nn.Module]]:
        """The stem of the tensors' names, the path and the module: the root itself goes by its class."""
        for path, module in self.module.named_modules():
            yield path or self.name, path, module

    def flags(self) -> tuple[int, int, int, int]:
        """How many dropouts and running norms there are, and how many of each are in training mode."""
        dropouts = on = norms = norms_on = 0
        for module in self.module.modules():
            if isinstance(module, _DropoutNd):
                dropouts += 1
                on += module.training
            elif isinstance(module, _NormBase) and module.track_running_stats:
                norms += 1
                norms_on += module.training
        return dropouts, on, norms, norms_on

    def module_infos(self) -> tuple[ModuleInfo, ...]:
        return tuple(ModuleInfo(path, type(module).__name__) for _, path, module in self.submodules())

    def parameter_infos(self, optimized: set[int]) -> tuple[ParameterInfo, ...]:
        """`optimized` has the ids of the parameters that optimizers hold."""
        return tuple(
            ParameterInfo(
                name=name,
                module=module,
                module_type=module_type,
                shape=tuple(parameter.shape),
                trainable=parameter.requires_grad,
                optimized=id(parameter) in optimized,
            )
            for (name, _, module, module_type), parameter in self.parameters()
        )

    def _name(self, dotted: str) -> Named:
        found = self._named.get(dotted)
        if found is None:
            path = dotted.rpartition(".")[0]
            owner = type(self.module.get_submodule(path)).__name__
            found = self._named[dotted] = (f"{self.name}_{dotted}", parameter_kind(dotted), path, owner)
        return found
