"""A trial: the tensors that one training saved, read while it runs or afterwards."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from sagehound.debug.collection import Collection
from sagehound.debug.modes import ModeKeys
from sagehound.debug.saved_steps import SavedSteps
from sagehound.debug.store.records import Facts, Model, Note, TensorInfo
from sagehound.debug.store.source import TensorSource
from sagehound.debug.tensor import Tensor
from sagehound.errors import NoMoreData, StepNotYetAvailable, StepUnavailable, TensorUnavailable

_POLL_S = 0.5


class Trial:
    """Everything that was saved, by name and step. Steps are counted in the mode that is given, GLOBAL by default.

    What is asked for and not there yet is looked for anew while the training runs. `loaded_all_steps` turns true when
    it has ended and all of it was read.
    """

    def __init__(
        self,
        source: TensorSource,
        name: str = "",
        path: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.source = source
        self.name = name
        self.path = path
        self.saved = SavedSteps(source)
        self.loaded_all_steps = False
        #: Rules switch it off: what they see must not change under them.
        self.dynamic_refresh = True
        self._sleep = sleep
        self._infos: dict[tuple[str, int], dict[str, TensorInfo]] = {}
        self._names: dict[str, TensorInfo] = {}
        self.refresh_data()

    def refresh_data(self) -> None:
        """Read what was saved since the last look."""
        if self.loaded_all_steps:
            return
        self.source.refresh()
        self.saved.update()
        self.loaded_all_steps = self.source.state().ended

    # What there is

    def tensor_names(
        self,
        *,
        step: int | None = None,
        mode: ModeKeys = ModeKeys.GLOBAL,
        regex: str | Sequence[str] | None = None,
        collection: str | Collection | None = None,
    ) -> list[str]:
        """The names saved at a step, in a mode, matching one of the regexes, or in a collection; sorted."""
        self._look_again()
        found = self._infos_at(step, mode)
        if regex is not None:
            patterns = [re.compile(one) for one in ([regex] if isinstance(regex, str) else regex)]
            found = {name: info for name, info in found.items() if any(p.search(name) for p in patterns)}
        if collection is not None:
            wanted = collection if isinstance(collection, str) else collection.name
            found = {name: info for name, info in found.items() if wanted in info.collections}
        return sorted(found)

    def tensor(self, tname: str) -> Tensor:
        """The tensor of that name; TensorUnavailable, with names like it, where nothing saved one."""
        if not self.has_tensor(tname):
            names = self.tensor_names()
            raise TensorUnavailable(
                f"Tensor {tname} was not saved. {len(names)} were, e.g. {', '.join(names[:5])}"
                if names
                else f"Tensor {tname} was not saved: nothing was, up to now"
            )
        return Tensor(tname, self)

    def has_tensor(self, tname: str) -> bool:
        if tname in self._all_infos():
            return True
        self._look_again()
        return tname in self._all_infos()

    def info(self, tname: str) -> TensorInfo:
        """What the hook knew of a tensor: kind, module, type, shape; as at any of its steps."""
        self.tensor(tname)
        return self._all_infos()[tname]

    def infos(self, step: int) -> list[TensorInfo]:
        """The tensors saved at a global step by its first worker, in the hook's order; for rules."""
        record = self.saved.first(step)
        if record is None:
            return []
        worker = min(self.saved.by_worker(step))
        return list(self.source.layout(worker, record.layout).tensors)

    def workers(self) -> list[str]:
        return sorted(self.source.runs())

    def collections(self) -> dict[str, Collection]:
        """Every collection that was configured, with the names of the tensors saved in it."""
        configured = {c.name: c for run in self.source.runs().values() for c in run.collections}
        return {
            name: Collection(name, include_regex=list(c.include_regex), tensor_names=self._in_collection(name))
            for name, c in configured.items()
        }

    def collection(self, coll_name: str) -> Collection | None:
        return self.collections().get(coll_name)

    @property
    def model(self) -> Model:
        """The model, its optimizers and losses as the hook knew them."""
        return self.source.state().model

    @property
    def notes(self) -> Sequence[Note]:
        """What the hook wanted its reader to know."""
        return self.source.state().notes

    def facts(self, step: int) -> Facts:
        """What the hook noticed at a global step, by its first worker; empty facts where there are none."""
        record = self.saved.first(step)
        return (record.facts if record else None) or Facts()

    # Steps

    def steps(self, mode: ModeKeys = ModeKeys.GLOBAL, show_incomplete_steps: bool = False) -> list[int]:
        """The saved steps, ascending."""
        self._look_again()
        return list(self.saved.numbers(mode))

    def modes(self) -> list[ModeKeys]:
        self._look_again()
        return self.saved.modes()

    def mode(self, global_step: int) -> ModeKeys:
        """The mode that the training was in at a saved global step."""
        return ModeKeys[self._record(global_step).mode]

    def mode_step(self, global_step: int) -> int:
        return self._record(global_step).mode_step

    def global_step(self, mode: ModeKeys, mode_step: int) -> int:
        return self.require_step(mode_step, mode)

    def require_step(self, step: int, mode: ModeKeys) -> int:
        """The global number of a saved step; StepUnavailable, StepNotYetAvailable or NoMoreData where there is none."""
        found = self.saved.global_step(step, mode)
        if found is None:
            self._look_again()
            found = self.saved.global_step(step, mode)
        if found is not None:
            return found
        last = self._last_passed(mode)
        if step <= last:
            raise StepUnavailable(f"step {step} of mode {mode.name} was not saved; steps() lists those that were")
        if self.loaded_all_steps:
            raise NoMoreData(f"the training ended at step {last} of mode {mode.name}, before step {step}")
        raise StepNotYetAvailable(f"the training has not come to step {step} of mode {mode.name} yet")

    def has_passed_step(self, step: int, mode: ModeKeys = ModeKeys.GLOBAL) -> str:
        """ "AVAILABLE", "UNAVAILABLE" (passed, and not saved) or "NOT_YET_AVAILABLE"."""
        self._look_again()
        if self.saved.global_step(step, mode) is not None:
            return "AVAILABLE"
        passed = self.loaded_all_steps or step <= self._last_passed(mode)
        return "UNAVAILABLE" if passed else "NOT_YET_AVAILABLE"

    def wait_for_steps(self, required_steps: Sequence[int], mode: ModeKeys = ModeKeys.GLOBAL) -> None:
        """Return when all of the steps are there; StepUnavailable for one that was passed over, NoMoreData when the
        training ends before."""
        for step in required_steps:
            while True:
                try:
                    self.require_step(step, mode)
                    break
                except StepNotYetAvailable:
                    self._sleep(_POLL_S)

    # Within

    def layout_infos(self, worker: str, layout: int) -> dict[str, TensorInfo]:
        """The tensors of one layout by name."""
        key = (worker, layout)
        if key not in self._infos:
            self._infos[key] = {info.name: info for info in self.source.layout(worker, layout).tensors}
        return self._infos[key]

    def _look_again(self) -> None:
        if self.dynamic_refresh:
            self.refresh_data()

    def _infos_at(self, step: int | None, mode: ModeKeys) -> dict[str, TensorInfo]:
        if step is None and mode is ModeKeys.GLOBAL:
            return self._all_infos()
        steps = self.saved.numbers(mode) if step is None else [step]
        layouts = {
            (worker, record.layout)
            for number in steps
            for worker, record in self.saved.by_worker(self.require_step(number, mode)).items()
        }
        return {name: info for key in sorted(layouts) for name, info in self.layout_infos(*key).items()}

    def _all_infos(self) -> dict[str, TensorInfo]:
        known = {
            (worker, number)
            for worker in self.source.runs()
            for number in {record.layout for record in self.source.steps(worker)}
        }
        for key in sorted(known - self._infos.keys()):
            self._names.update(self.layout_infos(*key))
        return {name: info for key in sorted(known) for name, info in self.layout_infos(*key).items()}

    def _in_collection(self, name: str) -> set[str]:
        return {info.name for info in self._all_infos().values() if name in info.collections}

    def _record(self, global_step: int):  # noqa: ANN202
        self.require_step(global_step, ModeKeys.GLOBAL)
        record = self.saved.first(global_step)
        assert record is not None
        return record

    def _last_passed(self, mode: ModeKeys) -> int:
        numbers = self.saved.numbers(mode)
        return max(self.source.state().passed.get(mode.name, -1), numbers[-1] if numbers else -1)
