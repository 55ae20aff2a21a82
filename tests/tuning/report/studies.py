"""Tuning jobs as a page may have to show them: made up, with a law behind them."""

import math
import random

from sagehound.tuning.report.study import Point, Study, StudyTrial
from sagehound.tuning.scaling import Scaling
from sagehound.tuning.space import Categorical, Continuous, Integer, Range

BEGIN_S = 1_764_000_000.0
RANGES: tuple[Range, ...] = (
    Continuous("lr", 0.0001, 0.1, Scaling.LOGARITHMIC),
    Categorical("batch_size", ('"32"', '"64"', '"128"')),
    Integer("epochs", 2, 10),
    Continuous("momentum", 0.5, 0.999, Scaling.REVERSE_LOGARITHMIC),
)


def loss(values: dict[str, str], chance: random.Random) -> float:
    """What matters most is the learning rate, then the epochs."""
    lr, epochs = float(values["lr"]), int(values["epochs"])
    return 0.3 + 0.15 * (math.log10(lr) + 2.2) ** 2 + 0.5 / epochs + chance.gauss(0, 0.01)


def study(number: int = 40, seed: int = 0, early: bool = True, **options: object) -> Study:
    """A study of `number` trials, two side by side; about a quarter are stopped early, one in twenty fails."""
    chance = random.Random(seed)
    trials = tuple(_trial(place, chance, early) for place in range(1, number + 1))
    completed = [trial for trial in trials if trial.status == "Completed"]
    best = min(completed, key=lambda each: each.objective or 0.0, default=None)
    given: dict[str, object] = {
        "name": "clothing-251125-2316",
        "status": "Completed",
        "metric": "validation loss",
        "maximize": False,
        "ranges": RANGES,
        "trials": trials,
        "created_s": BEGIN_S,
        "ended_s": max((trial.ended_s or 0.0 for trial in trials), default=BEGIN_S) + 1,
        "read_s": BEGIN_S + 10_000,
        "best_name": best.name if best else "",
        "early_stopping": early,
        "max_trials": number,
        "max_parallel": 2,
        "instance_type": "ml.c5.2xlarge",
        "static": {"model": "tf_efficientnet_lite0", "sagemaker_program": "train.py"},
        "command": "python -m sagehound.vision.train --data ~/photos --lr 0.0063 --batch-size 64 --epochs 9",
        "sdk": 'from sagemaker.tuner import HyperparameterTuner\n\ntuner = HyperparameterTuner.attach("clothing")',
    }
    return Study(**{**given, **options})


def _trial(number: int, chance: random.Random, early: bool) -> StudyTrial:
    values = {each.name: each.at(chance.random()) for each in RANGES}
    began = BEGIN_S + (number - 1) // 2 * 12.0 + chance.random()
    final, epochs = loss(values, chance), int(values["epochs"])
    curve = [Point(began + 1.0 + place, final + 0.8 * math.exp(-place / 2.0)) for place in range(epochs)]
    end: dict[str, object] = {"status": "Completed", "objective": final, "curve": tuple(curve)}
    if early and final > 0.6 and epochs > 3:
        curve = curve[:3]
        because = f"epoch 3 gave {curve[-1].value:.4g}, worse than the median of the trials before it (0.52)"
        end = {"status": "Stopped", "objective": curve[-1].value, "curve": tuple(curve), "stopped_because": because}
    if number % 19 == 0:
        end = {"status": "Failed", "failure": f"AlgorithmError: OutOfMemoryError: {number} GB wanted, train.py line 41"}
    return StudyTrial(
        number=number,
        name=f"clothing-251125-2316-{number:03d}-0a1b2c3d",
        values=values,
        created_s=began - 0.2,
        started_s=began,
        ended_s=began + len(curve) + 1.5,
        metrics={"validation loss": final, "test accuracy": 100 - 20 * final},
        **end,
    )
