"""From a CreateHyperParameterTuningJob request to what the service searches."""

from __future__ import annotations

from typing import Any

from sagehound.api.debugging import with_debugging
from sagehound.api.parameter_ranges import combinations, parameter_ranges
from sagehound.api.training_spec import training_document, training_spec
from sagehound.errors import InvalidInput
from sagehound.records.record import Document
from sagehound.records.tuning import ParameterRange, TuningSpec

#: The hyperparameter by which SageMaker tells every trial what is sought.
OBJECTIVE = "_tuning_objective_metric"


def tuning_spec(request: dict[str, Any]) -> TuningSpec:
    """What `request` asks to search; InvalidInput, naming the field, where it can never run."""
    config, definition = request["HyperParameterTuningJobConfig"], _definition(request)
    objective, limits = _objective(config, definition), config["ResourceLimits"]
    static = definition.get("StaticHyperParameters", {})
    ranges = parameter_ranges(config.get("ParameterRanges", {}), static)
    training = with_debugging(training_request(definition, objective["MetricName"]))
    return TuningSpec(
        strategy=config["Strategy"],
        metric=objective["MetricName"],
        goal=objective["Type"],
        ranges=ranges,
        max_jobs=_max_jobs(config["Strategy"], ranges, limits.get("MaxNumberOfTrainingJobs")),
        max_parallel=limits["MaxParallelTrainingJobs"],
        seed=config.get("RandomSeed"),
        max_runtime_s=limits.get("MaxRuntimeInSeconds"),
        training=training_spec(training),
        training_document=training_document(training),
    )


def tuning_document(request: dict[str, Any]) -> Document:
    """What Describe shows of the request: the config, and the definition with the fields that the SDK's `attach` and
    `best_estimator` read whether they were sent or not."""
    config, definition = request["HyperParameterTuningJobConfig"], _definition(request)
    objective = _objective(config, definition)["MetricName"]
    return {
        "HyperParameterTuningJobConfig": {"TrainingJobEarlyStoppingType": "Off", **config},
        "TrainingJobDefinition": {
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": False,
            "EnableManagedSpotTraining": False,
            **definition,
            "StaticHyperParameters": {**definition.get("StaticHyperParameters", {}), OBJECTIVE: objective},
            "ResourceConfig": _resources(definition),
            "OutputDataConfig": {"KmsKeyId": "", **definition["OutputDataConfig"]},
        },
    }


def training_request(definition: dict[str, Any], objective: str) -> dict[str, Any]:
    """The CreateTrainingJob request that every trial of `definition` shares, but for its name and what is tuned."""
    own = {"DefinitionName", "StaticHyperParameters", "HyperParameterTuningResourceConfig"}
    return {
        **{key: value for key, value in definition.items() if key not in own},
        "HyperParameters": {**definition.get("StaticHyperParameters", {}), OBJECTIVE: objective},
        "ResourceConfig": _resources(definition),
    }


def _definition(request: dict[str, Any]) -> dict[str, Any]:
    definition: dict[str, Any] | None = request.get("TrainingJobDefinition")
    if definition is None:
        raise InvalidInput("TrainingJobDefinition is missing; it says what every trial runs")
    return definition


def _objective(config: dict[str, Any], definition: dict[str, Any]) -> dict[str, str]:
    objective: dict[str, str] | None = config.get("HyperParameterTuningJobObjective")
    if objective is None:
        raise InvalidInput("HyperParameterTuningJobObjective is missing; name a metric and Minimize or Maximize")
    known = sorted(item["Name"] for item in definition["AlgorithmSpecification"].get("MetricDefinitions", []))
    if objective["MetricName"] not in known:
        raise InvalidInput(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            f"definitions. (The objective is {objective['MetricName']!r}; defined: {', '.join(known) or 'none'})"
        )
    return objective


def _resources(definition: dict[str, Any]) -> dict[str, Any]:
    """The ResourceConfig of every trial: the first of the instances to choose from, where there is a choice."""
    if "ResourceConfig" in definition:
        return dict(definition["ResourceConfig"])
    tuning = dict(definition.get("HyperParameterTuningResourceConfig", {}))
    first: dict[str, Any] = next(iter(tuning.pop("InstanceConfigs", [])), {})
    tuning.pop("AllocationStrategy", None)
    return tuning | first


def _max_jobs(strategy: str, ranges: tuple[ParameterRange, ...], asked: int | None) -> int:
    if strategy == "Grid":
        return _grid_jobs(ranges, asked)
    if asked is None:
        raise InvalidInput("ResourceLimits.MaxNumberOfTrainingJobs is missing; only Grid can do without it")
    possible = combinations(ranges)
    if possible < asked:
        raise InvalidInput(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{possible}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{asked}]. Provide additional ranges."
        )
    return asked


def _grid_jobs(ranges: tuple[ParameterRange, ...], asked: int | None) -> int:
    other = [item.name for item in ranges if item.type != "Categorical"]
    if other:
        raise InvalidInput(f"Grid searches categorical hyperparameters alone; {', '.join(other)} is none")
    possible = int(combinations(ranges))
    if asked is not None and asked != possible:
        raise InvalidInput(
            f"MaxNumberOfTrainingJobs is {asked}, and the grid has {possible} combinations: send {possible}, or none"
        )
    return possible
