"""The CreateHyperParameterTuningJob request of `sagehound tune`, as the SageMaker SDK would send it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagehound.cli.ranges import document
from sagehound.cli.recipe import Recipe
from sagehound.records.tuning import ParameterRange

INSTANCE_TYPE = "ml.c5.2xlarge"
#: Tags by which `sagehound report` finds the data and the script again. A value has at most so many characters.
DATA_TAG, SCRIPT_TAG = "sagehound:data", "sagehound:script"
_TAG_CHARACTERS = 256
_IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.0-cpu-py310"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is searched: `ranges`, how, and how many trials."""

    ranges: Sequence[ParameterRange]
    strategy: str
    trials: int | None
    parallel: int
    early_stopping: bool = False
    resource: tuple[int, int] | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where it runs: the role, the bucket, and the addresses of the code and the data in it."""

    role: str
    bucket: str
    code: str
    channel: str
    region: str


def request(name: str, recipe: Recipe, search: Search, place: Place, tags: Mapping[str, str]) -> dict[str, Any]:
    """The whole request. A tag whose value is too long for one is left out."""
    static = {**recipe.static, **_script_mode(name, recipe, place)}
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": _config(recipe, search),
        "TrainingJobDefinition": {
            "StaticHyperParameters": static,
            "AlgorithmSpecification": {
                "TrainingImage": _IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": name, "Regex": regex} for name, regex in recipe.metrics.items()],
            },
            "RoleArn": place.role,
            "InputDataConfig": [_channel(place.channel)],
            "OutputDataConfig": {"S3OutputPath": f"s3://{place.bucket}/"},
            "ResourceConfig": {"InstanceType": INSTANCE_TYPE, "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        },
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items() if len(value) <= _TAG_CHARACTERS],
    }


def _config(recipe: Recipe, search: Search) -> dict[str, Any]:
    limits: dict[str, int] = {"MaxParallelTrainingJobs": search.parallel}
    if search.trials is not None:
        limits["MaxNumberOfTrainingJobs"] = search.trials
    config: dict[str, Any] = {
        "Strategy": search.strategy,
        "ResourceLimits": limits,
        "HyperParameterTuningJobObjective": {
            "Type": "Maximize" if recipe.maximize else "Minimize",
            "MetricName": recipe.objective,
        },
        "ParameterRanges": document(search.ranges),
        "TrainingJobEarlyStoppingType": "Auto" if search.early_stopping else "Off",
    }
    if search.resource is not None:
        least, most = search.resource
        config["StrategyConfig"] = {"HyperbandStrategyConfig": {"MinResource": least, "MaxResource": most}}
    if search.seed is not None:
        config["RandomSeed"] = search.seed
    return config


def _script_mode(name: str, recipe: Recipe, place: Place) -> dict[str, str]:
    """What the SDK adds for a script, so that its `attach` and `best_estimator` know the job."""
    program = (
        recipe.script.name
        if recipe.source is None
        else str(recipe.script.resolve().relative_to(recipe.source.resolve()))
    )
    given = {
        "sagemaker_program": program,
        "sagemaker_submit_directory": place.code,
        "sagemaker_job_name": name,
        "sagemaker_region": place.region,
        "sagemaker_estimator_class_name": "PyTorch",
        "sagemaker_estimator_module": "sagemaker.pytorch.estimator",
    }
    return {key: json.dumps(value) for key, value in given.items()} | {"sagemaker_container_log_level": "20"}


def _channel(address: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": address, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": "training", "DataSource": {"S3DataSource": source}}
