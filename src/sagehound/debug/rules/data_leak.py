"""Samples of the validation data among the training data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.history import back
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import Step
from sagehound.debug.trial import Trial

#: Saved training steps that are searched, and steps of one evaluation.
_TRAINING, _EVALUATION = 2_000, 500
#: Samples that must be shared, and how many times the duplicates within the evaluation: some data repeats itself.
_FEWEST, _DUPLICATES = 2, 5


@dataclass(frozen=True)
class DataLeak:
    """Samples of an evaluation were trained with before.

    Formula: with the samples of this evaluation's saved steps so far (by hash of the model's first input), the share
    seen in saved training steps before is above `threshold_percent`, and these are at least 2 and more than 5 times
    the samples that occur twice within the evaluation: data with natural duplicates (few features, short texts) has
    them everywhere. Only saved steps know their samples, so a small overlap needs a short save interval to be seen;
    augmented training samples have other hashes and are not recognised.

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
        evaluation = Counter(sample for record in _evaluation(trial, step) for sample in _samples(record))
        trained = _trained(trial, step, evaluation)
        repeated = sum(count - 1 for count in evaluation.values())
        share = 100 * trained / len(evaluation)
        if share <= self.threshold_percent or trained < _FEWEST or trained <= _DUPLICATES * repeated:
            return
        yield Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode="EVAL",
            message=f"{trained} of the {len(evaluation)} samples of this evaluation ({share:.1f} %) were trained with "
            f"before, more than {self.threshold_percent:g} %.",
            why="A validation loss of samples that were trained with says nothing of new data.",
            change="train, val = torch.utils.data.random_split(dataset, [0.8, 0.2])  # once, before augmentation, with "
            "a fixed generator; split by subject where samples belong together, and remove duplicates",
            numbers={"shared": float(trained), "samples": float(len(evaluation)), "percent": share},
        )

    def unable(self, trial: Trial) -> str:
        for mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
            steps = [trial.saved.global_step(number, mode) for number in trial.saved.numbers(mode)]
            if not any(step is not None and trial.facts(step).samples for step in steps):
                return (
                    f"no samples of mode {mode.name} are known; call hook.set_mode(modes.{mode.name}) before that part"
                )
        return ""


def _evaluation(trial: Trial, step: int) -> Iterator[Step]:
    """The steps of the evaluation that this step belongs to, up to it."""
    for record in islice(back(trial, step), _EVALUATION):
        if record.mode != "EVAL":
            return
        yield record


def _trained(trial: Trial, step: int, evaluation: Counter[int]) -> int:
    """How many of the samples were seen in training."""
    found: set[int] = set()
    for record in islice(back(trial, step, ModeKeys.TRAIN), _TRAINING):
        if trains(trial, record.step):
            found.update(sample for sample in _samples(record) if sample in evaluation)
    return len(found)


def _samples(record: Step) -> tuple[int, ...]:
    return record.facts.samples if record.facts else ()
