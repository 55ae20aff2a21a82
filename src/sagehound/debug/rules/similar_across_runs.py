"""A training that does what another one did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import read
from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.selection import chosen
from sagehound.debug.store.open import open_source
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial
from sagehound.errors import MissingCollectionFiles


@dataclass(frozen=True)
class SimilarAcrossRuns:
    """A tensor is the same as in another run at the same step.

    Formula: numpy.allclose(a, b, rtol, atol) for a tensor of the same name, mode and step of that mode.
    `other_trials` are folders or S3 addresses, comma-separated (`other_trial`, AWS's name, is another of them); a job's
    tensors are at estimator.latest_job_debugger_artifacts_path(). `collection_names` and `tensor_regex` choose the
    tensors; without either, losses and weights.

    Why it matters: a second run with other settings that gives the same numbers did not use them, or read a
    checkpoint of the first; a run that is meant to repeat another should be the same. Step 0 is left out: with a fixed
    seed two runs begin with the same weights. Source: AWS's guide; tolerances are NumPy's defaults.
    """

    other_trials: tuple[str, ...] = ()
    other_trial: tuple[str, ...] = ()
    tensor_regex: tuple[str, ...] = ()
    collection_names: tuple[str, ...] = ()
    rtol: float = 1e-5
    atol: float = 1e-8

    name: ClassVar[str] = "SimilarAcrossRuns"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        mode, mode_step = trial.mode(step), trial.mode_step(step)
        if mode_step == 0:
            return
        for path in (*self.other_trials, *self.other_trial):
            other = _opened(path)
            there = other.saved.global_step(mode_step, mode)
            names = {info.name for info in other.infos(there)} if there is not None else set()
            for info in self._chosen(trial, step):
                if there is not None and info.name in names and self._same(trial, step, other, there, info):
                    yield self._finding(mode_step, mode, info, path)

    def unable(self, trial: Trial) -> str:
        paths = (*self.other_trials, *self.other_trial)
        if not paths:
            return "other_trials was not given; it is the folder or S3 address of another run's tensors"
        if not any(self._chosen(trial, step) for step in trial.steps()):
            return "none of the chosen tensors was saved; collection_names and tensor_regex choose them"
        mine = set(trial.tensor_names())
        apart = [path for path in paths if not mine & set(_opened(path).tensor_names())]
        return f"{apart[0]} has no tensor of a name that was saved here" if len(apart) == len(paths) else ""

    def _chosen(self, trial: Trial, step: int) -> list[TensorInfo]:
        if self.tensor_regex or self.collection_names:
            return chosen(trial, step, self.collection_names, self.tensor_regex)
        return [info for info in trial.infos(step) if info.kind in ("loss", "weight", "bias", "parameter")]

    def _same(self, trial: Trial, step: int, other: Trial, there: int, info: TensorInfo) -> bool:
        a, b = read(trial, info.name, step), read(other, info.name, there)
        return a is not None and b is not None and a.shape == b.shape and np.allclose(a, b, self.rtol, self.atol)

    def _finding(self, step: int, mode: ModeKeys, info: TensorInfo, path: str) -> Finding:
        return Finding(
            rule=self.name,
            step=step,
            mode=mode.name,
            tensor=info.name,
            module=info.module,
            message=f"{info.name} is the same as in {path} at step {step} of mode {mode.name} (rtol {self.rtol:g}, "
            f"atol {self.atol:g}).",
            why="A run with other settings that gives the same numbers did not use these settings.",
            change="print(args) at the start of the script, and look whether both runs load the same checkpoint",
            numbers={"rtol": self.rtol, "atol": self.atol, "other_trial": path},
        )


@lru_cache(maxsize=8)
def _opened(path: str) -> Trial:
    trial = Trial(open_source(path), path=path)
    if not trial.source.runs():
        raise MissingCollectionFiles(
            f"other_trials: there are no tensors at {path}; give the folder or S3 address of another run's tensors, "
            "e.g. from estimator.latest_job_debugger_artifacts_path()"
        )
    return trial
