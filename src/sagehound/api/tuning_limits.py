"""How far a tuning job may go: its number of trials, Hyperband's resource, when it is complete."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sagehound.api.parameter_ranges import combinations
from sagehound.errors import InvalidInput
from sagehound.records.tuning import Criteria, ParameterRange
from sagehound.tuning.resource import Resource

#: The static hyperparameters from which MaxResource is taken where it is not given, in SageMaker's order.
_EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")


def most_jobs(strategy: str, searched: Sequence[tuple[ParameterRange, ...]], asked: int | None) -> int:
    """MaxNumberOfTrainingJobs, or what follows from the ranges of each definition; InvalidInput where there are not
    as many trials."""
    if strategy == "Grid":
        return _grid_jobs(searched, asked)
    if asked is None:
        raise InvalidInput("ResourceLimits.MaxNumberOfTrainingJobs is missing; only Grid and Autotune can do without")
    possible = sum(map(combinations, searched))
    if possible < asked:
        raise InvalidInput(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{possible}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{asked}]. Provide additional ranges."
        )
    return asked


def resource(config: Mapping[str, Any], statics: Sequence[Mapping[str, str]]) -> Resource | None:
    """Hyperband's resource, None for another strategy; InvalidInput where it cannot be, or is not Hyperband's.

    `statics` are the static hyperparameters of each definition, among which MaxResource is looked for."""
    given: dict[str, int] | None = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig")
    if config["Strategy"] != "Hyperband":
        if given is not None:
            raise InvalidInput(
                f"HyperbandStrategyConfig is for the strategy Hyperband, not {config['Strategy']}; leave it out"
            )
        return None
    if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        raise InvalidInput(
            "Hyperband stops training jobs by itself: TrainingJobEarlyStoppingType must be Off with it, or left out"
        )
    given = given or {}
    most = given.get("MaxResource") or _epochs(statics)
    return Resource(given.get("MinResource", 1), most)


def criteria(config: Mapping[str, Any]) -> Criteria:
    """TuningJobCompletionCriteria."""
    given = config.get("TuningJobCompletionCriteria", {})
    target = given.get("TargetObjectiveMetricValue")
    if target is not None and not math.isfinite(target):
        raise InvalidInput(f"TargetObjectiveMetricValue is {target}; give a finite number")
    convergence = given.get("ConvergenceDetected", {}).get("CompleteOnConvergence", "Disabled")
    return Criteria(
        target=target,
        most_not_improving=given.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving"),
        on_convergence=convergence == "Enabled",
    )


def _grid_jobs(searched: Sequence[tuple[ParameterRange, ...]], asked: int | None) -> int:
    other = [item.name for ranges in searched for item in ranges if item.type != "Categorical"]
    if other:
        raise InvalidInput(
            f"Grid searches categorical hyperparameters alone; {', '.join(other)} {'is' if len(other) == 1 else 'are'} "
            "of another kind: list the values as categories, or choose Bayesian or Random"
        )
    possible = int(sum(map(combinations, searched)))
    if asked is not None and asked != possible:
        raise InvalidInput(
            f"MaxNumberOfTrainingJobs is {asked}, and the grid has {possible} combinations: send {possible}, or none"
        )
    return possible


def _epochs(statics: Sequence[Mapping[str, str]]) -> int:
    """The largest number of epochs of any definition."""
    found = [
        int(text)
        for static in statics
        for name in _EPOCHS
        if (text := static.get(name, "").strip('"')).isdecimal() and int(text) > 0
    ]
    if not found:
        raise InvalidInput(
            "Hyperband needs MaxResource, the most epochs of a trial: give it in "
            "StrategyConfig.HyperbandStrategyConfig, or as one of the static hyperparameters " + ", ".join(_EPOCHS)
        )
    return max(found)
