"""Samples of the validation data among the training data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.judging.running import Running
from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.absence import never_evaluated
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import Step
from sagehound.debug.trial import Trial

#: Different training samples that are remembered, from the beginning on.
_MOST_SAMPLES = 1_000_000
#: Samples that must be shared, and how many times the duplicates within the evaluation: some data repeats itself.
_FEWEST, _DUPLICATES = 2, 5


@dataclass(frozen=True)
class DataLeak:
    """Samples of an evaluation were trained with before.

    Formula: with the samples of this evaluation's saved steps so far (by hash of the model's first input), the share
    seen in saved training steps before is above `threshold_percent`, and these are at least 2 and more than 5 times
    the samples that occur twice within the evaluation: data with natural duplicates (few features, short texts) has
    them everywhere. Only saved steps know their samples, so a small overlap needs a short save interval to be seen;
    of the training samples the first million are remembered. Augmented ones have other hashes and are not recognised.

    Why it matters: a validation loss of samples that were trained with says nothing of new data, and every choice
    made by it is wrong. Sources: Kaufman et al. 2012 (Leakage in data mining); Kapoor and Narayanan 2023 (Leakage and
    the reproducibility crisis, type L1: no clean separation of training and test data, duplicates). An evaluation on
    the training data that is meant so looks the same: give it mode GLOBAL or PREDICT.
    """

    threshold_percent: float = 1.0

    name: ClassVar[str] = "DataLeak"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        if trial.mode(step) is not ModeKeys.EVAL or not trial.facts(step).samples:
            return
        samples, trained, repeated = _seen.up_to(trial, step, "samples", _Samples).evaluations[step]
        share = 100 * trained / samples
        if share <= self.threshold_percent or trained < _FEWEST or trained <= _DUPLICATES * repeated:
            return
        yield Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode="EVAL",
            message=f"{trained} of the {samples} samples of this evaluation ({share:.1f} %) were trained with "
            f"before, more than {self.threshold_percent:g} %.",
            why="A validation loss of samples that were trained with says nothing of new data.",
            change="train, val = torch.utils.data.random_split(dataset, [0.8, 0.2])  # once, before augmentation, with "
            "a fixed generator; split by subject where samples belong together, and remove duplicates",
            numbers={"shared": float(trained), "samples": float(samples), "percent": share},
        )

    def unable(self, trial: Trial) -> str:
        for mode in (ModeKeys.TRAIN,) if never_evaluated(trial) else (ModeKeys.TRAIN, ModeKeys.EVAL):
            steps = [trial.saved.global_step(number, mode) for number in trial.saved.numbers(mode)]
            if not any(step is not None and trial.facts(step).samples for step in steps):
                return (
                    f"no samples of mode {mode.name} are known; call hook.set_mode(modes.{mode.name}) before that part"
                )
        return ""


class _Samples:
    """The samples that were trained with, and those of each evaluation; a Learner."""

    def __init__(self) -> None:
        #: By the global step of an evaluation: its different samples so far, how many of these were trained with
        #: before, and how often one came again within the evaluation.
        self.evaluations: dict[int, tuple[int, int, int]] = {}
        self._trained: set[int] = set()
        self._evaluation: set[int] = set()
        self._shared = self._repeated = 0

    def take(self, trial: Trial, record: Step) -> None:
        samples = record.facts.samples if record.facts else ()
        if record.mode != "EVAL":
            self._evaluation, self._shared, self._repeated = set(), 0, 0
            if record.mode == "TRAIN" and len(self._trained) < _MOST_SAMPLES and trains(trial, record.step):
                self._trained.update(samples)
            return
        for sample in samples:
            if sample in self._evaluation:
                self._repeated += 1
            else:
                self._evaluation.add(sample)
                self._shared += sample in self._trained
        self.evaluations[record.step] = len(self._evaluation), self._shared, self._repeated


_seen: Running[_Samples] = Running()
