"""A trial: the tensors that one training saved, read while it runs or afterwards."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sagehound.debug.config.collection import Collection
from sagehound.debug.modes import ModeKeys
from sagehound.debug.reading.frame import to_frame
from sagehound.debug.reading.plot import plot
from sagehound.debug.reading.reader import Reader
from sagehound.debug.reading.saved_steps import Range, SavedSteps, StepState
from sagehound.debug.store.records import Facts, Model, Note, Step, TensorInfo
from sagehound.debug.store.source import TensorSource
from sagehound.debug.tensor import Tensor
from sagehound.errors import DebuggerValueError, TensorUnavailable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_POLL_S = 0.5
_LOG = logging.getLogger("sagehound.debug")


class Trial:
    """Everything that was saved, by name and step. Steps are counted in the mode that is given, GLOBAL by default.

    What is asked for and not there yet is looked for anew while the training runs, a few times a second at most.
    `loaded_all_steps` turns true when it has ended and all of it was read. With `range_steps` only the global steps
    from the first up to, not with, the second are looked at; None is open. Without `look` nothing is read until
    it is asked for.
    """

    def __init__(
        self,
        source: TensorSource,
        name: str = "",
        path: str = "",
        sleep: Callable[[float], None] = time.sleep,
        range_steps: Range | None = None,
        look: bool = True,
    ) -> None:
        self.source = source
        self.name = name
        self.path = path
        self._sleep = sleep
        self._reader = Reader(source, range_steps or (None, None))
        self._warned: set[str] = set()
        if look:
            self.refresh_data()

    def __repr__(self) -> str:
        steps, names = self._reader.steps.numbers(), self._reader.tensors.infos
        where = f" at {self.path}" if self.path else ""
        over = "" if self.loaded_all_steps else ", still running"
        return f"<Trial {self.name}{where}: {len(names)} tensors, {len(steps)} saved steps{over}>"

    def refresh_data(self) -> None:
        """Read what was saved since the last look."""
        self._reader.refresh()

    def end(self) -> None:
        """Take it, after a last look, that nothing more will come: for a training known to be over."""
        self._reader.end()

    @property
    def loaded_all_steps(self) -> bool:
        return self._reader.ended

    @property
    def dynamic_refresh(self) -> bool:
        """Whether news is looked for. Rules switch it off: what they see must not change under them."""
        return self._reader.live

    @dynamic_refresh.setter
    def dynamic_refresh(self, on: bool) -> None:
        self._reader.live = on

    @property
    def saved(self) -> SavedSteps:
        """The steps as they stand, without a look for news."""
        return self._reader.steps

    # What there is

    def tensor_names(
        self,
        show_prefixed_tensors: bool = False,
        *,
        step: int | None = None,
        mode: ModeKeys = ModeKeys.GLOBAL,
        regex: str | Sequence[str] | None = None,
        collection: str | Collection | None = None,
    ) -> list[str]:
        """The names saved at a step, in a mode, matching one of the regexes, or in a collection; sorted.

        `show_prefixed_tensors` is there for the original's callers and changes nothing.
        """
        self._reader.look_again()
        found = self._names_at(step, mode)
        if regex is not None:
            found = matching(found, [regex] if isinstance(regex, str) else regex)
            if not found:
                self._warn_once(f"no tensor matching {regex!r} was saved")
        if collection is not None:
            wanted = collection if isinstance(collection, str) else collection.name
            found &= self._reader.tensors.collections().get(wanted, set())
            if not found:
                self._warn_once(f"no tensor of the collection {wanted!r} was saved")
        return sorted(found)

    def tensor(self, tname: str) -> Tensor:
        """The tensor of that name; TensorUnavailable, with names like it, where nothing saved one."""
        if not self.has_tensor(tname):
            names = sorted(self._reader.tensors.infos)
            raise TensorUnavailable(
                f"Tensor {tname} was not saved. {len(names)} were, e.g. {', '.join(names[:5])}"
                if names
                else f"Tensor {tname} was not saved: nothing was, up to now"
            )
        return Tensor(tname, self._reader)

    def has_tensor(self, tname: str) -> bool:
        if tname not in self._reader.tensors.infos:
            self._reader.look_again()
        return tname in self._reader.tensors.infos

    def info(self, tname: str) -> TensorInfo:
        """What the hook knew of a tensor: kind, module, type, shape; as at the first of its steps."""
        self.tensor(tname)
        return self._reader.tensors.infos[tname]

    def infos(self, step: int) -> list[TensorInfo]:
        """The tensors saved at a global step by its first worker, in the hook's order; for rules."""
        workers = self.saved.by_worker(step)
        if not workers:
            return []
        worker = min(workers)
        return list(self.layout_infos(worker, workers[worker].layout).values())

    def layout_infos(self, worker: str, layout: int) -> dict[str, TensorInfo]:
        """The tensors of one layout by name."""
        return self._reader.tensors.layout(worker, layout).infos

    def workers(self) -> list[str]:
        self._reader.look_again()
        return sorted(self.source.runs())

    def collections(self) -> dict[str, Collection]:
        """Every collection that was configured, with the names of the tensors saved in it."""
        self._reader.look_again()
        saved = self._reader.tensors.collections()
        regexes = {c.name: c.include_regex for run in self.source.runs().values() for c in run.collections}
        return {
            name: Collection(name, include_regex=list(regexes.get(name, ())), tensor_names=saved.get(name, ()))
            for name in {**regexes, **dict.fromkeys(saved)}
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
        """The saved steps, ascending. While the training runs, a step that a worker has not saved yet is left out,
        unless incomplete ones are asked for."""
        self._reader.look_again()
        found = list(self.saved.numbers(mode))
        while found and not show_incomplete_steps and self._state(found[-1], mode) is not StepState.AVAILABLE:
            found.pop()
        return found

    def modes(self) -> list[ModeKeys]:
        """The modes in which steps were saved; GLOBAL where none was set."""
        self._reader.look_again()
        return self.saved.modes()

    def mode(self, global_step: int) -> ModeKeys | Any:  # noqa: ANN401
        """The mode that the training was in at a saved global step; None for a step that was not saved."""
        record = self._record(global_step)
        return ModeKeys[record.mode] if record else None

    def mode_step(self, global_step: int) -> int | Any:  # noqa: ANN401
        """A saved global step in its own mode's count; None for a step that was not saved."""
        record = self._record(global_step)
        return record.mode_step if record else None

    def global_step(self, mode: ModeKeys, mode_step: int) -> int | Any:  # noqa: ANN401
        """A mode's step in the count over all modes; None for a step that was not saved."""
        if mode is ModeKeys.GLOBAL:
            return mode_step
        if self.saved.global_step(mode_step, mode) is None:
            self._reader.look_again()
        return self.saved.global_step(mode_step, mode)

    def require_step(self, step: int, mode: ModeKeys) -> int:
        """The global number of a saved step; StepUnavailable or StepNotYetAvailable where there is none."""
        return self._reader.require_step(step, mode)

    def has_passed_step(self, step: int, mode: ModeKeys = ModeKeys.GLOBAL) -> StepState:
        """AVAILABLE; UNAVAILABLE: passed and not saved; or NOT_YET_AVAILABLE, also where a worker has still to save
        it."""
        self._reader.look_again()
        return self._state(step, mode)

    def wait_for_steps(self, required_steps: Iterable[int], mode: ModeKeys = ModeKeys.GLOBAL) -> None:
        """Return when all of the steps are there; StepUnavailable for one that was passed over, NoMoreData when the
        training ends before."""
        live, self.dynamic_refresh = self.dynamic_refresh, True
        try:
            for step in required_steps:
                self._wait_for(step, mode)
        finally:
            self.dynamic_refresh = live

    # Beyond the original

    def to_frame(
        self,
        names: str | Sequence[str] | None = None,
        *,
        regex: str | Sequence[str] | None = None,
        collection: str | Collection | None = None,
        mode: ModeKeys = ModeKeys.GLOBAL,
        worker: str | None = None,
    ) -> pd.DataFrame:
        """Tensors as a pandas table with a row for each step and tensor: `step` (global), `mode`, `mode_step`, `name`,
        then `value` for numbers, `min mean max std abs_mean l2` for arrays; `worker` where several saved.

        Without names, regex or collection these are all the numbers (losses, scalars), which takes no file to be read.

            trial.to_frame().pivot(index="step", columns="name", values="value").plot()
            trial.to_frame(collection="gradients").groupby("name").abs_mean.describe()
        """
        self._reader.look_again()
        return to_frame(self._reader, self._chosen(names, regex, collection), mode, worker)

    def plot(
        self,
        names: str | Sequence[str] | None = None,
        modes: ModeKeys | Sequence[ModeKeys] | None = None,
        ax: Axes | None = None,
        *,
        regex: str | Sequence[str] | None = None,
        collection: str | Collection | None = None,
    ) -> Axes:
        """Draw tensors against their steps, a line for each and each mode; arrays as their mean within a band from
        min to max. Without names these are the losses. See `sagehound.debug.reading.plot`."""
        self._reader.look_again()
        chosen = self._chosen(names, regex, collection or (None if names or regex else "losses"))
        wanted = [modes] if isinstance(modes, ModeKeys) else modes
        return plot(self._reader, chosen, wanted, ax, title=self.name)

    # Within

    def _chosen(
        self,
        names: str | Sequence[str] | None,
        regex: str | Sequence[str] | None,
        collection: str | Collection | None,
    ) -> list[str]:
        if names is not None:
            asked = [names] if isinstance(names, str) else list(names)
            return [self.tensor(name).name for name in asked]
        if regex is None and collection is None:
            return sorted(name for name, info in self._reader.tensors.infos.items() if info.saved == "scalar")
        return self.tensor_names(regex=regex, collection=collection)

    def _state(self, step: int, mode: ModeKeys) -> StepState:
        return self._reader.state_of(step, mode)

    def _wait_for(self, step: int, mode: ModeKeys) -> None:
        while (state := self.has_passed_step(step, mode)) is StepState.NOT_YET_AVAILABLE:
            self._sleep(_POLL_S)
        if state is StepState.UNAVAILABLE:
            self._reader.require_more(step, mode)
            self.require_step(step, mode)

    def _names_at(self, step: int | None, mode: ModeKeys) -> set[str]:
        if step is None:
            tensors = self._reader.tensors
            return set(tensors.infos) if mode is ModeKeys.GLOBAL else set(tensors.in_mode(mode))
        at = self.saved.global_step(step, mode)
        records = self.saved.by_worker(at) if at is not None else {}
        return {name for worker, record in records.items() for name in self.layout_infos(worker, record.layout)}

    def _record(self, global_step: int) -> Step | None:
        if self.saved.first(global_step) is None:
            self._reader.look_again()
        return self.saved.first(global_step)

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            _LOG.warning("%s: %s", self.name or "trial", text)


def matching(names: Iterable[str], regexes: Sequence[str]) -> set[str]:
    """The names in which one of the regexes is found, anywhere.

    >>> sorted(matching(["fc.weight", "fc.bias", "gradient/fc.bias"], ["^fc", "bias$"]))
    ['fc.bias', 'fc.weight', 'gradient/fc.bias']
    """
    patterns = [_compiled(one) for one in regexes]
    return {name for name in names if any(pattern.search(name) for pattern in patterns)}


def _compiled(regex: str) -> re.Pattern[str]:
    try:
        return re.compile(regex)
    except re.error as error:
        raise DebuggerValueError(f"regex {regex!r} is no regular expression: {error}") from None
