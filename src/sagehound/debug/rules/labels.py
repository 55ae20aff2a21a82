"""Labels that no classifier can learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import statistics
from sagehound.debug.rules.absence import without_classes
from sagehound.debug.rules.history import alike
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import Facts, Step
from sagehound.debug.trial import Trial

#: Numbers in use for "no label": PyTorch's ignore_index, the habit of many scripts, and the border in segmentation.
_IGNORED = (-100, -1, 255)
#: Losses whose labels are numbers of classes, and those whose labels are probabilities.
_CLASSES = ("CrossEntropy", "NLL", "cross_entropy", "nll")
_PROBABILITIES = ("BCE", "binary_cross_entropy")


@dataclass(frozen=True)
class Labels:
    """Labels lie outside the classes, or are all the same.

    Formula: a label below 0, or as large as the number of classes (the width of the predictions) or larger, with
    cross-entropy or NLL. The loss's ignore_index is let pass; where it is not known, -100, -1 and 255 are, which
    scripts use for "none". With binary cross-entropy, a
    label below 0 or above 1 (looked at where the loss's inputs are saved). Constant: the labels of the last `steps`
    saved training steps are one and the same, and there were `samples` or more; or each batch has one label only,
    another from time to time: the data is sorted by class and not shuffled.

    Why it matters: on a GPU such labels end in "device-side assert triggered" far from their cause; binary
    cross-entropy takes them silently, and its loss falls below zero. A constant label teaches a constant answer.
    Sources: PyTorch's forum and issues ("Target n is out of bounds", labels counted from 1, labels -1 and 1);
    LeCun et al. 1998 (Efficient BackProp, 4.2, shuffling the examples).
    """

    steps: int = 5
    samples: int = 100

    name: ClassVar[str] = "Labels"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        facts = trial.facts(step)
        outside = _outside(facts) or _no_probability(trial, step, facts)
        if outside:
            yield self._finding(
                trial,
                step,
                outside,
                "A label that no output stands for cannot be learned; on a GPU it ends in an assertion far away.",
                "count classes from 0 (labels - 1, or a mapping), nn.Linear(features, number_of_classes), or "
                "ignore_index= for labels that are to be passed over; 0 and 1 for binary cross-entropy",
                facts,
            )
        elif trains(trial, step) and facts.labels_distinct == 1:
            yield from self._constant(trial, step, facts)

    def unable(self, trial: Trial) -> str:
        for step in trial.steps():
            if trial.facts(step).labels_min is not None or _no_probability_known(trial, step):
                return ""
        if without_classes(trial) and not any(_is_binary(trial.facts(step)) for step in trial.steps()):
            return ""
        return "no labels of classes are known; register the loss with the hook: hook.register_loss(criterion)"

    def _constant(self, trial: Trial, step: int, facts: Facts) -> Iterator[Finding]:
        records = [r for r in islice(alike(trial, step), 200) if r.facts and r.facts.labels_distinct is not None]
        same = _while_one(records)
        values = {r.facts.labels_min for r in same if r.facts}
        samples = sum(_count(trial, record) for record in same)
        if len(same) < self.steps or samples < self.samples or (len(values) > 1 and samples < 2 * len(same)):
            return
        one = f"all {samples} labels of the last {len(same)} saved steps are {facts.labels_min}"
        yield self._finding(
            trial,
            step,
            f"Labels are constant: {one}."
            if len(values) == 1
            else f"Each of the last {len(same)} saved batches has a single label; they are sorted by class.",
            "A model that always sees one answer learns to give it, whatever the input.",
            "DataLoader(dataset, batch_size=..., shuffle=True); and print(Counter(labels)) of the dataset",
            facts,
        )

    def _finding(self, trial: Trial, step: int, message: str, why: str, change: str, facts: Facts) -> Finding:
        known = {"min": facts.labels_min, "max": facts.labels_max, "classes": facts.classes}
        return Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=next((i.name for i in trial.infos(step) if i.kind == "loss_input" and i.name.endswith("_1")), ""),
            message=message,
            why=why,
            change=change,
            numbers={name: float(value) for name, value in known.items() if value is not None},
        )


def _outside(facts: Facts) -> str:
    low, high, classes = facts.labels_min, facts.labels_max, facts.classes
    if low is None or high is None or not any(word in facts.loss for word in _CLASSES):
        return ""
    # The hook leaves out the label that it knows to be passed over; where it knows none, the usual ones may be.
    ignored = _IGNORED if facts.ignore_index is None else ()
    below = low < 0 and low not in ignored
    above = classes is not None and high >= classes and high not in ignored
    if not (below or above):
        return ""
    known = f"from 0 to {classes - 1}, for {classes} outputs" if classes is not None else "from 0 on"
    return f"Labels lie from {low} to {high}; allowed are numbers {known}."


def _no_probability_known(trial: Trial, step: int) -> str:
    """The name of the saved labels of a binary cross-entropy; "" where there are none."""
    if not _is_binary(trial.facts(step)):
        return ""
    return next((i.name for i in trial.infos(step) if i.kind == "loss_input" and i.name.endswith("_input_1")), "")


def _is_binary(facts: Facts) -> bool:
    return any(word in facts.loss for word in _PROBABILITIES)


def _no_probability(trial: Trial, step: int, facts: Facts) -> str:
    name = _no_probability_known(trial, step)
    found = statistics(trial, name, step) if name else None
    if found is None or found.min is None or found.max is None or not (found.min < 0 or found.max > 1):
        return ""
    return f"Labels of {facts.loss} lie from {found.min:g} to {found.max:g}; allowed is 0 to 1."


def _while_one(records: list[Step]) -> list[Step]:
    """The newest steps in a row whose batch has one label only."""
    end = next((place for place, r in enumerate(records) if r.facts and r.facts.labels_distinct != 1), len(records))
    return records[:end]


def _count(trial: Trial, record: Step) -> int:
    """How many labels a batch has, as far as is known."""
    for info in trial.infos(record.step):
        if info.kind == "loss_input" and info.name.endswith("_input_1") and info.shape:
            return info.shape[0]
    return max(1, len(record.facts.samples) if record.facts else 1)
