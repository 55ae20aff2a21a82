"""A debugged training made up in memory, for the tests of trials and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.records import (
    REDUCTIONS,
    CollectionInfo,
    Facts,
    Kind,
    Layout,
    Model,
    Note,
    Run,
    Step,
    TensorInfo,
    written,
)
from sagehound.debug.store.source import SourceState
from sagehound.debug.trial import Trial
from sagehound.errors import TensorUnavailableForStep


def info(name: str, kind: Kind = "custom", collections: Sequence[str] = (), **more: object) -> TensorInfo:
    """A tensor's description, in the collection that its kind belongs to by default."""
    usual = {"weight": "weights", "bias": "biases", "gradient": "gradients", "loss": "losses"}.get(kind)
    return TensorInfo(name=name, kind=kind, collections=(*collections, *((usual,) if usual else ())), **more)  # type: ignore[arg-type]


class RecordedRun:
    """A TensorSource that is filled step by step.

    >>> run = RecordedRun()
    >>> run.save({info("Net_fc.weight", "weight", module="fc", module_type="Linear"): np.ones((2, 3))})
    0
    >>> run.save({info("CrossEntropyLoss_output_0", "loss"): 0.5}, mode=ModeKeys.EVAL)
    1
    >>> trial = run.trial()
    >>> trial.steps(), trial.mode(1), float(trial.tensor("CrossEntropyLoss_output_0").value(0, mode=ModeKeys.EVAL))
    ([0, 1], <ModeKeys.EVAL: 2>, 0.5)
    """

    def __init__(self, model: Model | None = None, collections: Sequence[str] = (), worker: str = "worker_0") -> None:
        self._worker = worker
        self._run = Run(worker=worker, collections=tuple(CollectionInfo(name=name) for name in collections))
        self._state = SourceState(model=model)
        self._steps: list[Step] = []
        self._layouts: dict[int, Layout] = {}
        self._arrays: dict[tuple[int, str], np.ndarray] = {}
        self._counts: dict[str, int] = {}

    def save(
        self,
        tensors: Mapping[TensorInfo, np.ndarray | float | Mapping[str, float]],
        mode: ModeKeys = ModeKeys.TRAIN,
        facts: Facts | None = None,
        skip: int = 0,
        at: float = 0.0,
    ) -> int:
        """Save a step after `skip` unsaved ones; returns its global number. A number is saved as a scalar, a mapping
        as reductions by name, of a tensor with the shape that its description says."""
        mode_step = self._counts.get(mode.name, 0) + skip
        step = self._counts.get("GLOBAL", 0) + skip
        self._counts |= {"GLOBAL": step + 1} | ({mode.name: mode_step + 1} if mode is not ModeKeys.GLOBAL else {})
        scalars: dict[str, float | str] = {}
        infos = []
        reductions: list[float] = []
        for each, value in tensors.items():
            if isinstance(value, Mapping):
                reductions += value.values()
                infos.append(_replace(each, saved="nothing", reductions=tuple(value)))
            elif isinstance(value, np.ndarray):
                self._arrays[step, each.name] = value
                infos.append(_replace(each, shape=value.shape, dtype=str(value.dtype), saved="array"))
            else:
                scalars[each.name] = written(float(value))
                infos.append(_replace(each, shape=(), saved="scalar"))
        self._arrays[step, REDUCTIONS] = np.array(reductions)
        number = len(self._layouts)
        self._layouts[number] = Layout(number, tuple(infos))
        mode_step = step if mode is ModeKeys.GLOBAL else mode_step
        self._steps.append(
            Step(step=step, mode=mode.name, mode_step=mode_step, layout=number, at=at, scalars=scalars, facts=facts)
        )
        return step

    def end(self) -> RecordedRun:
        """No more steps will come."""
        passed = {name: count - 1 for name, count in self._counts.items()}
        self._state = SourceState(ended=True, model=self._state.model, passed=passed, notes=self._state.notes)
        return self

    def note(self, text: str) -> None:
        self._state.notes = (*self._state.notes, Note(step=len(self._steps), text=text))

    def trial(self) -> Trial:
        return Trial(self, name="recorded")

    def refresh(self) -> bool:
        return False

    def runs(self) -> Mapping[str, Run]:
        return {self._worker: self._run}

    def steps(self, worker: str) -> Sequence[Step]:
        return self._steps

    def layout(self, worker: str, number: int) -> Layout:
        return self._layouts[number]

    def read(self, worker: str, step: int, name: str) -> np.ndarray:
        try:
            return self._arrays[step, name].copy()
        except KeyError:
            raise TensorUnavailableForStep(f"{name} at step {step}") from None

    def state(self) -> SourceState:
        return self._state


def _replace(old: TensorInfo, **changes: object) -> TensorInfo:
    import msgspec

    return msgspec.structs.replace(old, **changes)
