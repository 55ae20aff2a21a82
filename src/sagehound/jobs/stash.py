"""Modules that were imported ahead, and appear to a script when it imports them.

Until then they are in no place where a script could see them: what it finds loaded, and when hooks on imports are
heard, is as in an interpreter of its own.
"""

from __future__ import annotations

import copy
import sys
from importlib import import_module
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class Stash:
    """A finder for the modules of `groups`: `(root, modules)` is a package and what came with its import, in order of
    import. They are taken out of `sys.modules`; the import of any brings back its group and those before it, once. What
    is imported anew after that, or is found elsewhere by now, is for the other finders."""

    def __init__(self, groups: Sequence[tuple[str, dict[str, ModuleType]]]) -> None:
        self._groups = list(groups)
        self._all = {name: module for _, group in groups for name, module in group.items()}
        self._position = {name: number for number, (_, group) in enumerate(groups) for name in group}
        for name in self._position:
            del sys.modules[name]

    def tops(self) -> set[str]:
        """The names by which a script could import something else than what is here."""
        return {name.partition(".")[0] for name in self._position}

    def names(self, packages: Iterable[str]) -> list[str]:
        """Those of the modules that are in `packages`."""
        return [name for name in self._position if name.partition(".")[0] in packages]

    def module(self, name: str) -> ModuleType | None:
        """One of the modules, where it is."""
        return self._groups[self._position[name]][1][name] if name in self._position else None

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        module = self.module(name)
        original = getattr(module, "__spec__", None)
        if module is None or original is None or target is not None or not self._stands(name, original):
            return None
        spec: ModuleSpec = copy.copy(original)
        spec.loader = _Restorer(self, name, module, original)  # type: ignore[assignment]
        return spec

    def restore(self, name: str) -> None:
        """Bring back the group of `name`; the ones before it by importing their roots, which others may listen to."""
        number = self._position[name]
        for root in self._roots(number, name):
            if root not in sys.modules:
                import_module(root)
        for one, module in self._groups[number][1].items():
            sys.modules.setdefault(one, module)
            self._position.pop(one, None)

    def _stands(self, name: str, spec: ModuleSpec) -> bool:
        """Whether the script would find this module: the search path, as it is by now, leads to the same file, or the
        package that it is in is the one from here."""
        package = name.rpartition(".")[0]
        if package:
            return sys.modules.get(package) is self._all.get(package)
        if not spec.has_location:
            return True
        found = PathFinder.find_spec(name)
        return found is not None and found.origin == spec.origin

    def _roots(self, number: int, name: str) -> Iterable[str]:
        roots = [root for root, group in self._groups[: number + 1] if root in group]
        return roots if roots and roots[-1] != name else roots[:-1]


class _Restorer:
    """Loads a module by giving it as it is."""

    def __init__(self, stash: Stash, name: str, module: ModuleType, spec: ModuleSpec) -> None:
        self._stash, self._name, self._module, self._spec = stash, name, module, spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        # The import system puts the spec that it was given in its place.
        module.__spec__ = self._spec
        self._stash.restore(self._name)
