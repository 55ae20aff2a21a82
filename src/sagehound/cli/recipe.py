"""What `sagehound tune` knows of a training script: its hyperparameters, what it reports, and what is searched."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sagehound
from sagehound.errors import InvalidInput, NotFound
from sagehound.records.tuning import ParameterRange

BUILT_IN = Path(sagehound.__file__).parent / "vision" / "train.py"
VALIDATION = ("validation", "valid", "val")

#: The hyperparameters of sagehound.vision.train that can be searched or fixed: the least and the most of a number (the
#: least itself excluded where it is 0.0), or the words that are allowed; None: any text. A test compares its options.
HYPERPARAMETERS: dict[str, tuple[float, float] | tuple[str, ...] | None] = {
    "lr": (0.0, math.inf),
    "batch_size": (1, math.inf),
    "test_batch_size": (1, math.inf),
    "validation_share": (0.0, 0.5),
    "epochs": (1, math.inf),
    "model": None,
    "weights": None,
    "finetune": ("head", "all"),
    "augment": ("True", "true", "False", "false"),
    "views": (1, 100),
    "precision": ("auto", "fp32", "bf16"),
    "image_size": (32, math.inf),
    "crop_pct": (0.0, 1),
    "seed": (0, math.inf),
    "workers": (0, math.inf),
}
RANGES = ("lr=0.001:0.1:log", "batch_size=32,64,128", "epochs=1:5")
#: With trials that can be stopped early every one is given as many epochs.
RANGES_OF_LONG_TRIALS = ("lr=0.001:0.1:log", "batch_size=32,64,128")
EPOCHS_OF_LONG_TRIALS = 10
#: Of each class's training photos, where there is no folder to validate on and the objective needs one.
VALIDATION_SHARE = "0.15"
METRICS = {
    "validation loss": r"Validation set: Average loss: ([0-9\.]+)",
    "validation accuracy": r"Validation set: .* \(([0-9\.]+)%\)",
    "test loss": r"Test set: Average loss: ([0-9\.]+)",
    "test accuracy": r"Test set: .* \(([0-9\.]+)%\)",
}
_HIGHER_IS_BETTER = re.compile(r"acc|f1|auc|precision|recall|score|iou|\bmap\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A script, the metrics by name with the regex that finds each in its log, and which of them is the objective.
    `source` is the folder that goes with the script, None for the script alone."""

    script: Path
    metrics: Mapping[str, str]
    objective: str
    maximize: bool
    source: Path | None = None
    static: Mapping[str, str] = field(default_factory=dict)

    @property
    def built_in(self) -> bool:
        """Whether it is sagehound.vision.train."""
        return self.script == BUILT_IN


def own_script(script: Path, metrics: Sequence[str], objective: str, goal: str, source: Path | None) -> Recipe:
    """A script of the user's; InvalidInput where nothing says what it reports."""
    if not script.is_file():
        raise NotFound(f"there is no script {str(script)!r} in {Path.cwd()}; give its path")
    if source is not None and not script.resolve().is_relative_to(source.resolve()):
        raise InvalidInput(f"{script} is not in {source}; --source-dir is the folder that the script is in")
    named = dict(_metric(text) for text in metrics)
    if not named:
        raise InvalidInput(
            "--script needs --metric NAME=REGEX: how its log tells the objective, e.g. 'loss=Loss: (.*)'"
        )
    chosen = _chosen(objective or next(iter(named)), named)
    return Recipe(script, named, chosen, _maximizes(chosen, goal), source)


def built_in(data: Path, objective: str, goal: str, early: bool) -> Recipe:
    """sagehound.vision.train on `data`. The objective is what it validates on, where there are photos for that or
    trials can be stopped `early` by it. An objective that needs such photos where there are none has them held out."""
    validates = any((data / name).is_dir() for name in VALIDATION) and (data / "test").is_dir()
    chosen = _chosen(objective or ("validation loss" if validates or early else "test loss"), METRICS)
    on_validation = chosen.startswith("validation")
    if early and not on_validation:
        raise InvalidInput(
            f"{chosen} is reported once, at the end of a training, so no trial can be stopped early by it; "
            "leave --objective out, or choose validation loss or validation accuracy"
        )
    static = {"validation_share": VALIDATION_SHARE} if on_validation and not validates else {}
    return Recipe(BUILT_IN, METRICS, chosen, _maximizes(chosen, goal), static=static)


def check_ranges(ranges: Iterable[ParameterRange]) -> None:
    """InvalidInput for a range that sagehound.vision.train has no hyperparameter for, or cannot take every value of."""
    for each in ranges:
        for value in each.values or (each.low, each.high):
            check_value(each.name, value)


def check_value(name: str, value: str) -> None:
    """InvalidInput for a name that sagehound.vision.train does not know, or a value that it does not take."""
    known = name.replace("-", "_")
    if known not in HYPERPARAMETERS:
        names = ", ".join(sorted(HYPERPARAMETERS))
        raise InvalidInput(f"sagehound.vision.train has no hyperparameter {name!r}; it has {names}")
    allowed = HYPERPARAMETERS[known]
    if allowed is None:
        return
    if isinstance(allowed[0], str):
        if value not in allowed:
            raise InvalidInput(f"{name} is {value!r}; allowed are {', '.join(map(str, allowed))}")
        return
    _check_number(name, value, float(allowed[0]), float(allowed[1]), whole=isinstance(allowed[0], int))


def _check_number(name: str, value: str, least: float, most: float, *, whole: bool) -> None:
    try:
        number = float(int(value)) if whole else float(value)
    except ValueError:
        raise InvalidInput(f"{name} is {value!r}; give {'a whole number' if whole else 'a number'}") from None
    if not (math.isfinite(number) and least <= number <= most and (whole or number > least)):
        bound = f"{least:g} or more" if whole else f"above {least:g}"
        raise InvalidInput(f"{name} is {value}; allowed is {bound}{f', at most {most:g}' if most < math.inf else ''}")


def _metric(text: str) -> tuple[str, str]:
    name, equals, regex = text.partition("=")
    if not name.strip() or not equals or not regex:
        raise InvalidInput(f"--metric {text!r} is no metric; write NAME=REGEX, e.g. 'loss=Test loss: ([0-9.]+)'")
    try:
        groups = re.compile(regex).groups
    except re.error as error:
        raise InvalidInput(f"--metric {name}: {regex!r} is no regular expression: {error}") from None
    if groups != 1:
        raise InvalidInput(f"--metric {name}: {regex!r} has {groups} groups; put one, (...), around the number")
    return name.strip(), regex


def _chosen(objective: str, known: Mapping[str, str]) -> str:
    if objective not in known:
        raise InvalidInput(f"the objective {objective!r} is none of the metrics; choose {', '.join(known)}")
    return objective


def _maximizes(objective: str, goal: str) -> bool:
    if goal not in ("", "minimize", "maximize"):
        raise InvalidInput(f"--goal is {goal!r}; allowed are minimize and maximize")
    return goal == "maximize" if goal else bool(_HIGHER_IS_BETTER.search(objective))
