"""The parents of a warm start: that they exist, have ended, and looked for the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sagehound.api.context import Context
from sagehound.errors import InvalidInput, NotFound
from sagehound.records.record import Document
from sagehound.records.tuning import Definition, TuningJob, TuningSpec


def check_parents(spec: TuningSpec, context: Context) -> None:
    """InvalidInput, in the terms of AWS's rules for a warm start, where one of the parents cannot be one."""
    if not spec.parents:
        return
    if len(spec.definitions) > 1:
        raise InvalidInput("WarmStartConfig goes with one TrainingJobDefinition; send one, or leave it out")
    twice = sorted({name for name in spec.parents if spec.parents.count(name) > 1})
    if twice:
        raise InvalidInput(f"WarmStartConfig names the parent {twice[0]} more than once; name each once")
    for name in spec.parents:
        parent = _parent(name, context)
        for problem in _differences(spec, parent):
            raise InvalidInput(f"The hyperparameter tuning job {name} cannot be a parent of this one: {problem}")


def with_parents_metrics(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """`request` with the MetricDefinitions of its first parent where it has none: the SDK's own
    `identical_dataset_and_algorithm_tuner` and `transfer_learning_tuner` leave them out."""
    parents = request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
    definition = request.get("TrainingJobDefinition")
    if not parents or definition is None or definition["AlgorithmSpecification"].get("MetricDefinitions"):
        return request
    parent = _parent(parents[0]["HyperParameterTuningJobName"], context)
    metrics = parent.spec.definitions[0].training_document["AlgorithmSpecification"].get("MetricDefinitions", [])
    algorithm = {**definition["AlgorithmSpecification"], "MetricDefinitions": metrics}
    return {**request, "TrainingJobDefinition": {**definition, "AlgorithmSpecification": algorithm}}


def _parent(name: str, context: Context) -> TuningJob:
    try:
        parent = context.store.get(TuningJob, name)
    except NotFound:
        raise InvalidInput(
            f"WarmStartConfig: Amazon SageMaker can't find a tuning job called {name}. Type another name."
        ) from None
    if not parent.status.ended:
        raise InvalidInput(
            f"The parent hyperparameter tuning job {name} is {parent.status}; it must be Completed, Stopped or Failed. "
            "Wait for it, or stop it"
        )
    return parent


def _differences(spec: TuningSpec, parent: TuningJob) -> Iterable[str]:
    """What the rules say must be alike and is not, the most telling first."""
    own, other = spec.definitions[0], parent.spec.definitions[0]
    if len(parent.spec.definitions) > 1:
        yield "it has several training job definitions"
    if (own.metric, spec.goal) != (other.metric, parent.spec.goal):
        yield (
            f"its objective is {parent.spec.goal} {other.metric!r}, that of this one {spec.goal} {own.metric!r}; "
            "the objective must be the same"
        )
    if _count(own) != _count(other):
        yield (
            f"it has {_count(other)} static and tunable hyperparameters in all, this one {_count(own)}; they may "
            f"change from one to the other, and the total must be the same (different are: {_different(own, other)})"
        )
    if spec.same_task and own.training.image != other.training.image:
        yield (
            f"its training image is {other.training.image}, that of this one {own.training.image}; "
            "IdenticalDataAndAlgorithm needs the same, TransferLearning does not"
        )
    if spec.same_task and _data(own.training_document) != _data(other.training_document):
        yield (
            f"its input data is {_told(other)}, that of this one {_told(own)}; "
            "IdenticalDataAndAlgorithm needs the same, TransferLearning does not"
        )


def _names(definition: Definition) -> set[str]:
    return {*definition.training.hyperparameters, *(each.name for each in definition.ranges)}


def _count(definition: Definition) -> int:
    return len(_names(definition))


def _different(own: Definition, other: Definition) -> str:
    return ", ".join(sorted(_names(own) ^ _names(other))) or "none"


def _data(document: Document) -> dict[str, Document]:
    return {channel["ChannelName"]: channel["DataSource"] for channel in document.get("InputDataConfig", [])}


def _told(definition: Definition) -> str:
    return ", ".join(f"{channel.name}={channel.uri}" for channel in definition.training.channels) or "none"
