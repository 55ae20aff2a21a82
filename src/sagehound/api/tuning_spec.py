"""From a CreateHyperParameterTuningJob request to what the service searches."""

from __future__ import annotations

from typing import Any

from sagehound.api.debugging import with_debugging
from sagehound.api.parameter_ranges import parameter_ranges
from sagehound.api.training_spec import training_document, training_spec
from sagehound.api.tuning_definitions import Asked, asked, whole
from sagehound.api.tuning_limits import criteria, most_jobs, resource
from sagehound.records.record import Document
from sagehound.records.tuning import Definition, TuningSpec


def tuning_spec(request: dict[str, Any]) -> TuningSpec:
    """What `request` asks to search; InvalidInput, naming the field, where it can never run."""
    config, found = request["HyperParameterTuningJobConfig"], asked(request)
    definitions, limits = tuple(map(_definition, found)), config["ResourceLimits"]
    hyperband = resource(config, [each.static for each in found])
    warm_start = request.get("WarmStartConfig", {})
    return TuningSpec(
        strategy=config["Strategy"],
        goal=found[0].objective["Type"],
        definitions=definitions,
        max_jobs=most_jobs(
            config["Strategy"], [each.ranges for each in definitions], limits.get("MaxNumberOfTrainingJobs")
        ),
        max_parallel=limits["MaxParallelTrainingJobs"],
        seed=config.get("RandomSeed"),
        max_runtime_s=limits.get("MaxRuntimeInSeconds"),
        early_stopping=config.get("TrainingJobEarlyStoppingType", "Off") == "Auto",
        least_resource=hyperband.least if hyperband else 0,
        most_resource=hyperband.most if hyperband else 0,
        criteria=criteria(config),
        parents=tuple(
            item["HyperParameterTuningJobName"] for item in warm_start.get("ParentHyperParameterTuningJobs", [])
        ),
        same_task=warm_start.get("WarmStartType") == "IdenticalDataAndAlgorithm",
    )


def tuning_document(request: dict[str, Any]) -> Document:
    """What Describe shows of the request."""
    config, found = request["HyperParameterTuningJobConfig"], asked(request)
    shown = {"TrainingJobEarlyStoppingType": "Off", **config}
    if "ParameterRanges" in config:
        shown["ParameterRanges"] = whole(config["ParameterRanges"])
    several = "TrainingJobDefinitions" in request
    definitions = [each.described() for each in found]
    return {
        "HyperParameterTuningJobConfig": shown,
        **({"TrainingJobDefinitions": definitions} if several else {"TrainingJobDefinition": definitions[0]}),
        **{field: request[field] for field in ("WarmStartConfig", "Autotune") if field in request},
    }


def _definition(found: Asked) -> Definition:
    training = with_debugging(found.training_request())
    return Definition(
        name=found.name,
        metric=found.objective["MetricName"],
        ranges=parameter_ranges(found.ranges, found.static),
        training=training_spec(training),
        training_document=training_document(training),
    )
