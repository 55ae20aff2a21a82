"""A registered model: its parameters and modules by the names that their tensors have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

import torch
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from sagehound.debug.config.selection import Named
from sagehound.debug.recording.naming import parameter_kind, unwrapped
from sagehound.debug.store.records import ModuleInfo, ParameterInfo

#: Told of a call of a root, before it, with the arguments.
Begins = Callable[["Root", tuple[Any, ...]], None]


class Root:
    """`outer` is the module that the training calls; `module` the user's own within it, by whose class parameters are
    named. Scripts change their models: `refresh` sees it."""

    def __init__(self, outer: torch.nn.Module) -> None:
        self._call: _Call | None = None
        self.outer = outer
        self.module = unwrapped(outer)
        self.name = type(self.module).__name__
        #: How many steps optimizers had taken when it was last called.
        self.called_at = 0
        #: What is kept of it as long as it stays the same, by what it was looked up for.
        self.kept: dict[tuple[str, ...], Any] = {}
        self._named: dict[str, Named] = {}
        self._parts: list[int] = []
        self._known_as = ""
        self._parameters: list[tuple[Named, torch.nn.Parameter]] = []
        self._modules: list[tuple[str, str, torch.nn.Module]] = []
        self._dropouts: list[torch.nn.Module] = []
        self._norms: list[torch.nn.Module] = []

    def move(self, outer: torch.nn.Module, begins: Begins) -> None:
        """From now on `outer` is what the training calls, and `begins` is told of every call."""
        self.leave()
        self.outer = outer
        self._call = _Call(self, begins)

    def eagerly(self) -> _Uncompiled | None:
        """Where the module's own call is compiled, the call that is under way runs uncompiled."""
        return self._call.eagerly() if self._call is not None else None

    def leave(self) -> None:
        """Take the hook away."""
        if self._call is not None:
            self._call.remove()
            self._call = None

    @property
    def compiled(self) -> bool:
        """Whether its forward, or what wraps it, is compiled."""
        layer: object = self.outer
        while isinstance(layer, torch.nn.Module):
            if hasattr(layer, "_orig_mod") or getattr(layer, "_compiled_call_impl", None) is not None:
                return True
            layer = None if layer is self.module else getattr(layer, "module", None)
        return False

    def distinguish(self, names: Iterable[str]) -> None:
        """Where another model of the same step has that name already, have a number after it: `Net_1`."""
        taken = set(names)
        if self.name in taken:
            number = next(n for n in count(1) if f"{self.name}_{n}" not in taken)
            self.name = f"{self.name}_{number}"
            self._named.clear()

    def refresh(self) -> None:
        """Look whether the model is still the one that was seen, and through it anew where it is not."""
        parts = _parts(self.module)
        if parts == self._parts and self.name == self._known_as:
            return
        self._parts, self._known_as = parts, self.name
        self.kept.clear()
        self._parameters = [(self._name(dotted), one) for dotted, one in self.module.named_parameters()]
        self._modules = [(path or self.name, path, one) for path, one in self.module.named_modules()]
        self._dropouts = [one for _, _, one in self._modules if isinstance(one, _DropoutNd)]
        self._norms = [one for _, _, one in self._modules if isinstance(one, _NormBase) and one.track_running_stats]

    def parameters(self) -> Iterator[tuple[Named, torch.nn.Parameter]]:
        """Its parameters that have values, each once."""
        if not self._parts:
            self.refresh()
        return ((named, one) for named, one in self._parameters if not torch.nn.parameter.is_lazy(one))

    def submodules(self) -> Sequence[tuple[str, str, torch.nn.Module]]:
        """The stem of the tensors' names, the path and the module: the root itself goes by its class."""
        if not self._parts:
            self.refresh()
        return self._modules

    def flags(self) -> tuple[int, int, int, int]:
        """How many dropouts and running norms there are, and how many of each are in training mode."""
        if not self._parts:
            self.refresh()
        dropouts, norms = self._dropouts, self._norms
        return (len(dropouts), sum(d.training for d in dropouts), len(norms), sum(n.training for n in norms))

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


def _parts(module: torch.nn.Module) -> list[int]:
    """The modules and parameters that it is made of, as numbers; much quicker than their names."""
    found: list[int] = []
    seen: set[int] = set()
    left = [module]
    while left:
        one = left.pop()
        if id(one) not in seen:
            seen.add(id(one))
            found.append(id(one))
            found += map(id, one._parameters.values())
            left += [child for child in one._modules.values() if child is not None]
    return found


class _Call:
    """The one hook that stays on a model. It is no part of it: a copy or a pickle of the model has a function in its
    place that does nothing, and that needs nothing of this package. Where the module's own call is compiled, which
    would compile the hook too, it stands before that call."""

    def __init__(self, root: Root, begins: Begins) -> None:
        self._root, self._begins = root, begins
        self._uncompiled = _Uncompiled()
        self._inner = getattr(root.outer, "_compiled_call_impl", None)
        if self._inner is None:
            self._handle = root.outer.register_forward_pre_hook(self)
        else:
            root.outer._compiled_call_impl = self._before

    def __call__(self, module: torch.nn.Module, args: Any) -> None:  # noqa: ANN401
        if module is self._root.outer:
            self._begins(self._root, args)

    def _before(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        self._uncompiled.on = False
        self._begins(self._root, args)
        assert self._inner is not None
        # The call is made here, before the module's hooks would run: those that were put on it now do run in it.
        return (self._root.outer._call_impl if self._uncompiled.on else self._inner)(*args, **kwargs)

    def eagerly(self) -> _Uncompiled | None:
        self._uncompiled.on = True
        return None if self._inner is None else self._uncompiled

    def remove(self) -> None:
        if self._inner is None:
            self._handle.remove()
        else:
            self._root.outer._compiled_call_impl = self._inner

    def __deepcopy__(self, memo: object) -> Callable[..., Any]:
        return {}.get

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return getattr, ({}, "get")


class _Uncompiled:
    """Whether the next call of a module is to run uncompiled."""

    on = False

    def remove(self) -> None:
        self.on = False
