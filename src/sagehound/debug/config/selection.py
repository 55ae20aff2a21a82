"""Which tensors are saved, when, and as what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sagehound.debug.config.collection import Collection, CollectionKeys
from sagehound.debug.config.collections import Collections
from sagehound.debug.config.save_config import SaveConfigMode
from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.records import Kind, TensorInfo

#: A tensor and what it is: name, kind, path and type of its module.
Named = tuple[str, Kind, str, str]
#: What comes after a module's path in its tensors' names is tried with these numbers, to see what a regex wants.
_NUMBERS = (*range(10), 10, 12, 16, 25, 50, 100)
#: The collections that a kind belongs to, whatever its name.
_OF_KIND: dict[str, str] = {
    "loss": CollectionKeys.LOSSES,
    "gradient": CollectionKeys.GRADIENTS,
    "optimizer": CollectionKeys.OPTIMIZER_VARIABLES,
}
_TRAINING_ONLY = (CollectionKeys.GRADIENTS, CollectionKeys.OPTIMIZER_VARIABLES)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is saved of a tensor at a step: the whole of it, some reductions; and the collections that hold it."""

    raw: bool
    reductions: tuple[str, ...]
    collections: tuple[str, ...]


class Selection:
    """The collections that are saved, and what follows from them for each tensor's name; looked up once and kept."""

    def __init__(self, collections: Collections, saved: Sequence[Collection]) -> None:
        self._collections = collections
        self._saved = {one.name: one for one in saved}
        self._steps = {mode: _by_steps(saved, mode) for mode in ModeKeys}
        self._holders: dict[str, tuple[str, ...]] = {}
        self._wanted: dict[tuple[str, tuple[str, ...]], bool] = {}
        self._plans: dict[tuple[str, ...], dict[str, Plan | Literal[False] | None]] = {}
        self._infos: dict[str, tuple[Plan, str, tuple[int, ...], str, TensorInfo]] = {}
        self._layouts: dict[tuple[str, ...], tuple[TensorInfo, ...]] = {}

    def due(self, mode: ModeKeys, step: int) -> tuple[str, ...]:
        """The collections that are saved at that step of that mode."""
        found: tuple[str, ...] = ()
        for config, names in self._steps[mode]:
            if config.should_save_step(step):
                found += names
        return found

    def quiet(self, mode: ModeKeys, step: int, most: int) -> int:
        """How many steps after that one save nothing, up to `most`."""
        configs = [config for config, _ in self._steps[mode]]
        for ahead in range(1, most + 1):
            for config in configs:
                if config.should_save_step(step + ahead):
                    return ahead - 1
        return most

    def stop(self, names: Iterable[str]) -> None:
        """Save those no more."""
        for name in names:
            self._saved.pop(name, None)
        self._steps = {mode: _by_steps(self._saved.values(), mode) for mode in ModeKeys}
        self._holders.clear()
        self._wanted.clear()
        self._plans.clear()

    def holders(self, named: Named) -> tuple[str, ...]:
        """The saved collections that hold a tensor."""
        name, kind, module, module_type = named
        found = self._holders.get(name)
        if found is None:
            own, is_root = _OF_KIND.get(kind), not module
            saved = self._saved.values()
            found = tuple(c.name for c in saved if c.name == own or c.matches(name, module_type, is_root))
            self._holders[name] = found
        return found

    def plans(self, due: tuple[str, ...]) -> dict[str, Plan | Literal[False] | None]:
        """The plans by tensor, as found so far, for steps at which `due` are saved."""
        return self._plans.setdefault(due, {})

    def plan(self, named: Named, due: Sequence[str]) -> Plan | None:
        """What to save of a tensor where `due` are saved."""
        holders = self.holders(named)
        saving = [self._saved[one] for one in holders if one in due]
        return _plan(saving, holders) if saving else None

    def plan_in(self, named: Named, collections: Sequence[str]) -> Plan:
        """What to save of a tensor that was given to these collections by name, saved ones or not."""
        for one in collections:
            self._collections.get(one).add_tensor_name(named[0])
        given = [self._collections.get(one) for one in collections]
        return _plan(given, tuple(dict.fromkeys((*collections, *self.holders(named)))))

    def is_due(self, collection: str, mode: ModeKeys, step: int, otherwise: Collection) -> bool:
        """Whether a collection is saved at a step; one without steps of its own has those of `otherwise`."""
        known = self._collections.get(collection)
        return (known if known.save_config is not None else otherwise).due(mode, step)

    def info(
        self,
        named: Named,
        plan: Plan,
        dtype: str,
        shape: tuple[int, ...],
        saved: Literal["array", "scalar", "nothing"] = "array",
    ) -> TensorInfo:
        """The description of a tensor; the same object for the same tensor, so that it is compared quickly."""
        name, kind, module, module_type = named
        known = self._infos.get(name)
        if known is not None and known[0] is plan and known[1:4] == (dtype, shape, saved) and known[4].kind == kind:
            return known[4]
        found = TensorInfo(
            name=name,
            kind=kind,
            module=module,
            module_type=module_type,
            dtype=dtype,
            shape=shape,
            collections=plan.collections,
            saved="nothing" if saved == "array" and not plan.raw else saved,
            reductions=() if saved == "scalar" else plan.reductions,
        )
        self._infos[name] = (plan, dtype, shape, saved, found)
        return found

    def layout(self, due: tuple[str, ...], tensors: tuple[TensorInfo, ...]) -> tuple[TensorInfo, ...]:
        """The descriptions of a step's tensors; the same object as at the last step where they are the same."""
        known = self._layouts.get(due)
        if known != tensors:
            known = self._layouts[due] = tensors
        return known

    def wants_any(self, stem: str, kind: Kind, module: str, module_type: str, due: tuple[str, ...]) -> bool:
        """Whether some tensor called `stem` and a number is saved where `due` are."""
        key = (stem, due)
        found = self._wanted.get(key)
        if found is None:
            names = (f"{stem}{number}" for number in _NUMBERS)
            found = any(self.plan((name, kind, module, module_type), due) is not None for name in names)
            self._wanted[key] = found
        return found


def _plan(saving: Sequence[Collection], holders: tuple[str, ...]) -> Plan:
    configs = [one.reduction_config for one in saving]
    reductions = tuple(dict.fromkeys(name for config in configs if config for name in config.names))
    return Plan(any(config is None or config.saves_raw for config in configs), reductions, holders)


def _by_steps(saved: Iterable[Collection], mode: ModeKeys) -> list[tuple[SaveConfigMode, tuple[str, ...]]]:
    """Collections that are saved at the same steps, together: what is asked at every step is asked once."""
    groups: list[tuple[SaveConfigMode, tuple[str, ...]]] = []
    for one in saved:
        if one.name in _TRAINING_ONLY and mode in (ModeKeys.EVAL, ModeKeys.PREDICT):
            continue
        config = one.save_config.get_save_config(mode) if one.save_config else SaveConfigMode()
        for place, (known, names) in enumerate(groups):
            if known == config:
                groups[place] = (known, (*names, one.name))
                break
        else:
            groups.append((config, (one.name,)))
    return groups
