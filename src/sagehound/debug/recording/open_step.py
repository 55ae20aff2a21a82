"""The step that a training is in: what was seen of it so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from sagehound.debug.config.selection import Named, Plan, Selection
from sagehound.debug.modes import ModeKeys
from sagehound.debug.recording.capture import copied, on_host, plain, traced, type_name
from sagehound.debug.recording.tensor_reductions import reduce_tensor
from sagehound.debug.store.records import Facts, Kind, TensorInfo
from sagehound.debug.store.sink import SavedStep
from sagehound.errors import DebuggerTypeError

#: Kinds of tensors that pass from module to module, often the same one under several names.
_PASSING = ("input", "output", "loss_input", "loss")


class OpenStep:
    """Collects what is saved of one step. `due` are the collections whose step it is; `note` hears, with the tensor's
    name, what its reader should know."""

    def __init__(
        self,
        step: int,
        mode: ModeKeys,
        mode_step: int,
        selection: Selection,
        due: tuple[str, ...],
        note: Callable[[str, str], None],
    ) -> None:
        self.step, self.mode, self.mode_step, self.due = step, mode, mode_step, due
        #: Whether it is saved even without a tensor, for what was noticed: a loss raised.
        self.noticed = False
        self._selection = selection
        self._plans = selection.plans(due)
        self._note = note
        self._infos: dict[str, TensorInfo] = {}
        self._arrays: dict[str, torch.Tensor] = {}
        self._scalars: dict[str, float | torch.Tensor] = {}
        self._reductions: dict[str, torch.Tensor] = {}
        self._uses: dict[str, int] = {}
        self._same: dict[int, tuple[torch.Tensor, int, torch.Tensor]] = {}

    def wants(self, named: Named) -> Plan | None:
        """What is to be saved of a tensor; None for nothing."""
        plan = self._plans.get(named[0], False)
        if plan is False:
            plan = self._plans[named[0]] = self._selection.plan(named, self.due)
        return plan or None

    def drop(self, collections: Sequence[str]) -> None:
        """Those are not saved any more, from here on."""
        self.due = tuple(name for name in self.due if name not in collections)
        self._plans = self._selection.plans(self.due)

    def next_name(self, stem: str) -> str:
        """`stem` with the number of its use in this step: `relu_output_0`, then `relu_output_1`."""
        number = self._uses.get(stem, 0)
        self._uses[stem] = number + 1
        return f"{stem}{number}"

    def add(self, named: Named, tensor: torch.Tensor, add_up: bool = False, collections: Sequence[str] = ()) -> bool:
        """Save a tensor as its plan says, or as a member of `collections` whatever the plans; tells whether it did.
        `add_up`: one of that name that is there already is added to (gradients of several backwards)."""
        name, kind = named[0], named[1]
        plan = self._selection.plan_in(named, collections) if collections else self.wants(named)
        passing = kind in _PASSING
        if plan is None or (passing and traced()):
            return False
        try:
            value = plain(tensor, lambda text: self._note(name, text))
        except DebuggerTypeError as error:
            self._note(name, f"not saved: {error}")
            return False
        one = value.ndim == 0 or (kind in ("loss", "scalar") and value.numel() == 1)
        if one and not value.is_complex():
            self._add_number(named, value, plan)
            return True
        if add_up and name in self._arrays:
            value = self._arrays[name].add_(value)
        if plan.reductions:
            self._reductions[name] = reduce_tensor(value, plan.reductions)
        if plan.raw and value is not self._arrays.get(name):
            self._arrays[name] = self._copy(tensor, value) if passing else copied(value)
        self._infos[name] = self._selection.info(named, plan, type_name(value.dtype), tuple(value.shape))
        return True

    def add_number(self, name: str, value: float, collections: Sequence[str], kind: Kind = "scalar") -> None:
        """Save a number; of several with one name in a step each is kept, under a name of its own."""
        if name in self._scalars:
            self._uses.setdefault(f"{name}_", 1)
            name = self.next_name(f"{name}_")
        self._scalars[name] = value
        self._infos[name] = TensorInfo(
            name=name, kind=kind, dtype="float64", saved="scalar", collections=tuple(collections)
        )

    def tell(self, name: str, text: str) -> None:
        """Something about a tensor or a module for the reader."""
        self._note(name, text)

    @property
    def empty(self) -> bool:
        return not self._infos and not self.noticed

    def finished(self, facts: Facts | None) -> SavedStep:
        """The step as a sink takes it."""
        scalars = {n: v if isinstance(v, float) else float(v.item()) for n, v in self._scalars.items()}
        parts = [self._reductions[name] for name in self._infos if name in self._reductions]
        return SavedStep(
            step=self.step,
            mode=self.mode.name,
            mode_step=self.mode_step,
            tensors=self._selection.layout(self.due, tuple(self._infos.values())),
            arrays=on_host(self._arrays),
            scalars=scalars,
            reductions=torch.cat(parts) if parts else None,
            facts=facts,
        )

    def _add_number(self, named: Named, value: torch.Tensor, plan: Plan) -> None:
        name = named[0]
        # On another device it is read when the step is handed over: reading it now would wait for the device.
        self._scalars[name] = float(value.item()) if value.device.type == "cpu" else value.clone()
        self._infos[name] = self._selection.info(named, plan, type_name(value.dtype), tuple(value.shape), "scalar")

    def _copy(self, tensor: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """A copy; where the same tensor was copied under another name and not changed since, that one (what one
        module gives is often what the next one takes)."""
        known = self._same.get(id(tensor))
        version = -1 if tensor.is_inference() else tensor._version
        if known is not None and known[0] is tensor and known[1] == version >= 0:
            return known[2]
        copy = copied(value)
        if value.device.type == "cpu" or version >= 0:
            self._same[id(tensor)] = (tensor, version, copy)
        return copy
