"""From a CreateTrainingJob request to what the service runs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sagehound.api.debugging import debugging
from sagehound.api.limits import check_instances
from sagehound.api.metric_definitions import metric_definitions
from sagehound.api.profiling import profiling
from sagehound.errors import InvalidInput
from sagehound.names import S3Uri
from sagehound.records.record import Document
from sagehound.records.training import Channel, TrainingSpec

_DEFAULT_RUNTIME_S = 86400
_DEFAULT_CHECKPOINTS = "/opt/ml/checkpoints"

#: What of a request Describe does not show, or shows from elsewhere in the record.
_NOT_DESCRIBED = {"TrainingJobName", "HyperParameters", "Tags", "SessionChainingConfig"}


def training_document(request: dict[str, Any]) -> Document:
    """The request as Describe shows it, without its name and hyperparameters, with the defaults that AWS shows."""
    shown = {key: value for key, value in request.items() if key not in _NOT_DESCRIBED}
    return {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **shown,
        "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP", **request["OutputDataConfig"]},
        "StoppingCondition": {"MaxRuntimeInSeconds": _DEFAULT_RUNTIME_S, **request.get("StoppingCondition", {})},
    }


def training_spec(request: dict[str, Any]) -> TrainingSpec:
    """What `request` asks to run; InvalidInput, naming the field, where it can never run."""
    algorithm = request.get("AlgorithmSpecification", {})
    resources, output = _resources(request), request["OutputDataConfig"]
    checkpoints = request.get("CheckpointConfig", {})
    return TrainingSpec(
        image=_image(algorithm),
        entrypoint=tuple(algorithm.get("ContainerEntrypoint", ())),
        arguments=tuple(algorithm.get("ContainerArguments", ())),
        hyperparameters=request.get("HyperParameters", {}),
        environment=request.get("Environment", {}),
        channels=_channels(request.get("InputDataConfig", []), algorithm.get("TrainingInputMode", "File")),
        output_uri=_uri("OutputDataConfig.S3OutputPath", output["S3OutputPath"]),
        compress_output=output.get("CompressionType", "GZIP") == "GZIP",
        checkpoint_uri=_uri("CheckpointConfig.S3Uri", checkpoints["S3Uri"]) if checkpoints else "",
        checkpoint_path=_checkpoint_path(checkpoints.get("LocalPath", _DEFAULT_CHECKPOINTS)),
        instance_type=resources["InstanceType"],
        instance_count=resources["InstanceCount"],
        max_runtime_s=_max_runtime_s(request.get("StoppingCondition", {})),
        metrics=metric_definitions(algorithm.get("MetricDefinitions", [])),
        retries=request.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0),
        **debugging(request),
        **profiling(request),
    )


def _image(algorithm: dict[str, Any]) -> str:
    image = algorithm.get("TrainingImage", "")
    if not image:
        raise InvalidInput("AlgorithmSpecification.TrainingImage is missing; name the image of a framework")
    return str(image)


def _resources(request: dict[str, Any]) -> dict[str, Any]:
    resources: dict[str, Any] = request.get("ResourceConfig", {})
    for field in ("InstanceType", "InstanceCount"):
        if not resources.get(field):
            raise InvalidInput(f"ResourceConfig.{field} is missing or 0; send one, e.g. ml.m5.large and 1")
    check_instances(resources["InstanceCount"], resources["InstanceType"], "training job")
    return resources


def _max_runtime_s(condition: dict[str, int]) -> int:
    runtime_s = condition.get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME_S)
    wait_s = condition.get("MaxWaitTimeInSeconds")
    if wait_s is not None and wait_s < runtime_s:
        raise InvalidInput(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds "
            f"(given: {wait_s} and {runtime_s})"
        )
    return runtime_s


def _checkpoint_path(path: str) -> str:
    inside = path.startswith("/") and ".." not in path.split("/")
    if not inside:
        raise InvalidInput(
            f"CheckpointConfig.LocalPath {path!r} must be absolute and without '..', e.g. /opt/ml/checkpoints"
        )
    return path


def _channels(listed: list[dict[str, Any]], job_mode: str) -> tuple[Channel, ...]:
    channels = tuple(_channel(item, job_mode) for item in listed)
    twice = [name for name, count in Counter(channel.name for channel in channels).items() if count > 1]
    if twice:
        raise InvalidInput(f"InputDataConfig has more than one channel {twice[0]!r}; every ChannelName must be unique")
    nowhere = [channel.name for channel in channels if channel.name in (".", "..")]
    if nowhere:
        raise InvalidInput(f"the channel name {nowhere[0]!r} is no folder's; name it for what it holds, e.g. training")
    return channels


def _channel(item: dict[str, Any], job_mode: str) -> Channel:
    name, source = item["ChannelName"], item["DataSource"].get("S3DataSource")
    if source is None:
        raise InvalidInput(f"the channel {name!r} has no DataSource.S3DataSource; send one with its S3Uri")
    return Channel(
        name=name,
        uri=_uri(f"the S3Uri of the channel {name!r}:", source["S3Uri"]),
        data_type=source["S3DataType"],
        distribution=source.get("S3DataDistributionType", "FullyReplicated"),
        mode=item.get("InputMode", job_mode),
        content_type=item.get("ContentType", ""),
        record_wrapper=item.get("RecordWrapperType", "None"),
    )


def _uri(field: str, text: str) -> str:
    try:
        S3Uri.parse(text)
    except InvalidInput as error:
        raise InvalidInput(f"{field} {error}") from None
    return text
