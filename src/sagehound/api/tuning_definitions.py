"""The training definitions of a CreateHyperParameterTuningJob request: one, or several that take turns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sagehound.errors import InvalidInput
from sagehound.records.record import Document

#: The hyperparameter by which SageMaker tells every trial what is sought.
OBJECTIVE = "_tuning_objective_metric"
_CONFIG = "HyperParameterTuningJobConfig"
#: Fields of a definition that no training job has.
_OWN = {
    "DefinitionName",
    "HyperParameterRanges",
    "HyperParameterTuningResourceConfig",
    "StaticHyperParameters",
    "TuningObjective",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One definition with what is sought in it and where, wherever in the request the two stand."""

    document: Document
    objective: dict[str, str]
    ranges: Document

    @property
    def name(self) -> str:
        return str(self.document.get("DefinitionName", ""))

    @property
    def static(self) -> dict[str, str]:
        """The hyperparameters that every trial has alike."""
        return {**self.document.get("StaticHyperParameters", {}), OBJECTIVE: self.objective["MetricName"]}

    def described(self) -> Document:
        """The definition as Describe shows it, with what the SDK's `attach` and `best_estimator` read whether it was
        sent or not."""
        ranges = {"HyperParameterRanges": whole(self.ranges)} if "HyperParameterRanges" in self.document else {}
        return {
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": False,
            "EnableManagedSpotTraining": False,
            **self.document,
            **ranges,
            "StaticHyperParameters": self.static,
            "ResourceConfig": _resources(self.document),
            "OutputDataConfig": {"KmsKeyId": "", **self.document["OutputDataConfig"]},
        }

    def training_request(self) -> dict[str, Any]:
        """The CreateTrainingJob request that its trials share, but for the name and what is tuned."""
        return {
            **{key: value for key, value in self.document.items() if key not in _OWN},
            "HyperParameters": self.static,
            "ResourceConfig": _resources(self.document),
        }


def asked(request: dict[str, Any]) -> tuple[Asked, ...]:
    """Every definition of `request`; InvalidInput where one lacks its objective or its name, or they do not fit."""
    one, several = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions", [])
    if one is not None and several:
        raise InvalidInput("both TrainingJobDefinition and TrainingJobDefinitions are given; send one of them")
    if one is None and not several:
        raise InvalidInput("TrainingJobDefinition is missing; it says what every trial runs")
    config = request[_CONFIG]
    if one is not None:
        return (_asked(one, config, "TrainingJobDefinition"),)
    _check_config(config)
    found = tuple(_asked(each, {}, f"TrainingJobDefinitions[{place}]") for place, each in enumerate(several))
    _check_together(found)
    return found


def whole(ranges: Document) -> Document:
    """`ranges` with each kind of them, which the SDK's `attach` reads without asking."""
    kinds = ("ContinuousParameterRanges", "CategoricalParameterRanges", "IntegerParameterRanges")
    return {**{kind: [] for kind in kinds}, **ranges}


def _asked(definition: Document, config: Document, where: str) -> Asked:
    objective = _one_of(
        definition.get("TuningObjective"),
        config.get("HyperParameterTuningJobObjective"),
        f"{where}.TuningObjective",
        "HyperParameterTuningJobObjective",
    )
    ranges = _one_of(
        definition.get("HyperParameterRanges"),
        config.get("ParameterRanges"),
        f"{where}.HyperParameterRanges",
        "ParameterRanges",
    )
    if objective is None:
        of_several = where.endswith("]")
        field = f"{where}.TuningObjective" if of_several else "HyperParameterTuningJobObjective"
        raise InvalidInput(f"{field} is missing; name a metric and Minimize or Maximize")
    known = sorted(item["Name"] for item in definition["AlgorithmSpecification"].get("MetricDefinitions", []))
    if objective["MetricName"] not in known:
        raise InvalidInput(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            f"definitions. (The objective is {objective['MetricName']!r}; defined: {', '.join(known) or 'none'})"
        )
    return Asked(definition, objective, ranges or {})


def _one_of(own: Document | None, shared: Document | None, own_field: str, shared_field: str) -> Document | None:
    if own is not None and shared is not None:
        raise InvalidInput(f"both {own_field} and {_CONFIG}.{shared_field} are given; send one of them")
    return own if own is not None else shared


def _check_config(config: Document) -> None:
    for field, own in (
        ("HyperParameterTuningJobObjective", "TuningObjective"),
        ("ParameterRanges", "HyperParameterRanges"),
    ):
        if field in config:
            raise InvalidInput(
                f"{_CONFIG}.{field} goes with one TrainingJobDefinition; with TrainingJobDefinitions, "
                f"give each its {own}"
            )


def _check_together(found: tuple[Asked, ...]) -> None:
    unnamed = [place for place, each in enumerate(found) if not each.name]
    if unnamed:
        raise InvalidInput(f"TrainingJobDefinitions[{unnamed[0]}].DefinitionName is missing; name each definition")
    twice = [name for name, count in Counter(each.name for each in found).items() if count > 1]
    if twice:
        raise InvalidInput(f"more than one of TrainingJobDefinitions is called {twice[0]!r}; give each its own name")
    goals = sorted({each.objective["Type"] for each in found})
    if len(goals) > 1:
        raise InvalidInput(
            "TrainingJobDefinitions have objectives of both types, Maximize and Minimize: their results could not be "
            "compared; give all TuningObjective.Type the same value"
        )


def _resources(definition: Document) -> Document:
    """The ResourceConfig of every trial: the first of the instances to choose from, where there is a choice."""
    if "ResourceConfig" in definition:
        return dict(definition["ResourceConfig"])
    tuning = dict(definition.get("HyperParameterTuningResourceConfig", {}))
    first: dict[str, Any] = next(iter(tuning.pop("InstanceConfigs", [])), {})
    tuning.pop("AllocationStrategy", None)
    return tuning | first
