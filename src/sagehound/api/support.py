"""What of a request is refused by name, and what is taken without effect here."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sagehound.errors import Unsupported

_log = logging.getLogger("sagehound.api")

_LATER = "not yet: it comes with a later version; leave it out"
_HARDWARE = "one kind of machine runs every host here; leave it out and name one InstanceType"
_ONE_CONTAINER = "a model is one container here; send one PrimaryContainer"

_TRAINING_REFUSED = {
    "AlgorithmSpecification.AlgorithmName": "send the TrainingImage of a framework and your script",
    "AlgorithmSpecification.TrainingInputMode=Pipe": "use File or FastFile",
    "InputDataConfig.InputMode=Pipe": "use File or FastFile",
    "InputDataConfig.CompressionType=Gzip": "it belongs to the input mode Pipe; send None, or leave it out",
    "InputDataConfig.RecordWrapperType=RecordIO": "it belongs to the input mode Pipe; send None, or leave it out",
    "InputDataConfig.DataSource.FileSystemDataSource": "copy the data to a bucket and send an S3DataSource",
    "InputDataConfig.DataSource.DatasetSource": "send an S3DataSource",
    "InputDataConfig.DataSource.S3DataSource.S3DataType=AugmentedManifestFile": "use S3Prefix or ManifestFile",
    "InputDataConfig.DataSource.S3DataSource.S3DataType=Converse": "use S3Prefix or ManifestFile",
    "InputDataConfig.DataSource.S3DataSource.InstanceGroupNames": _HARDWARE,
    "InputDataConfig.DataSource.S3DataSource.HubAccessConfig": "copy the data to a bucket",
    "InputDataConfig.DataSource.S3DataSource.AttributeNames": "it belongs to AugmentedManifestFile; leave it out",
    "ResourceConfig.InstanceGroups": _HARDWARE,
    "ResourceConfig.InstancePreferences": _HARDWARE,
    "ResourceConfig.InstancePlacementConfig": _HARDWARE,
    "ResourceConfig.TrainingPlanArn": _HARDWARE,
}

_DEFINITIONS = ("TrainingJobDefinition", "TrainingJobDefinitions")
_CONTAINERS = ("PrimaryContainer", "Containers")
_CONTAINER_REFUSED = {
    "Mode=MultiModel": "make one model of each archive",
    "ModelPackageName": "send Image and ModelDataUrl",
    "InferenceSpecificationName": "it belongs to ModelPackageName; send Image and ModelDataUrl",
    "AdditionalModelDataSources": "put everything into one model.tar.gz",
    "ModelDataSource.S3DataSource.HubAccessConfig": "copy the model to a bucket and send ModelDataUrl",
    "ModelDataSource.S3DataSource.ManifestS3Uri": "send the address of a model.tar.gz as ModelDataUrl",
    "ModelDataSource.S3DataSource.ETag": "leave it out; the archive is read as it is when an endpoint starts",
    "ModelDataSource.S3DataSource.ManifestEtag": "leave it out",
}

#: Operation -> path of a field (`Field=value` for one value of it) -> what to do instead.
REFUSED: dict[str, dict[str, str]] = {
    "CreateTrainingJob": {
        **_TRAINING_REFUSED,
        "ServerlessJobConfig": "name an InstanceType in ResourceConfig",
        "MlflowConfig": "call MLflow from the script",
        "ModelPackageConfig": "leave it out; the model is at ModelArtifacts.S3ModelArtifacts",
    },
    "CreateHyperParameterTuningJob": {
        **{f"{definition}.{path}": why for definition in _DEFINITIONS for path, why in _TRAINING_REFUSED.items()},
    },
    "CreateModel": {
        **{f"{container}.{path}": why for container in _CONTAINERS for path, why in _CONTAINER_REFUSED.items()},
        "InferenceExecutionConfig.Mode=Direct": _ONE_CONTAINER,
    },
    "CreateEndpointConfig": {
        "ProductionVariants.ServerlessConfig": "send InstanceType and InitialInstanceCount",
        "ProductionVariants.InstancePools": "send InstanceType and InitialInstanceCount",
        "ProductionVariants.ManagedInstanceScaling": "send InitialInstanceCount",
        "ShadowProductionVariants": "send ProductionVariants alone",
        "DataCaptureConfig.EnableCapture": _LATER,
        "AsyncInferenceConfig": _LATER,
        "ExplainerConfig": "leave it out",
        "CrossRegionTrafficConfig": "leave it out",
    },
    "UpdateTrainingJob": {
        "ResourceConfig": "KeepAlivePeriodInSeconds belongs to warm pools, which a machine of one's own needs none of",
        "RemoteDebugConfig.EnableRemoteDebug": "the job runs on this machine: attach to its process",
    },
    "UpdateEndpoint": {
        "RetainAllVariantProperties": "send an endpoint configuration that has the weights and counts that you want",
        "ExcludeRetainedVariantProperties": "it belongs to RetainAllVariantProperties; leave it out",
    },
    "InvokeEndpoint": {
        "TargetModel": "make one model of each archive, and an endpoint or a variant of each",
        "TargetContainerHostname": _ONE_CONTAINER,
        "InferenceComponentName": "name the endpoint alone",
        "EnableExplanations": "leave it out",
    },
}

_TRAINING_WITHOUT_EFFECT = (
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "EnableNetworkIsolation",
    "InputDataConfig.DataSource.S3DataSource.ModelAccessConfig",
    "InputDataConfig.ShuffleConfig",
    "OutputDataConfig.KmsKeyId",
    "ResourceConfig.KeepAlivePeriodInSeconds",
    "ResourceConfig.SelectedInstanceCount",
    "ResourceConfig.SelectedInstanceType",
    "ResourceConfig.VolumeKmsKeyId",
    "ResourceConfig.VolumeSizeInGB",
    "RoleArn",
    "StoppingCondition.MaxPendingTimeInSeconds",
    "StoppingCondition.MaxWaitTimeInSeconds",
    "VpcConfig",
)

_TUNING_RESOURCES_WITHOUT_EFFECT = tuple(
    f"HyperParameterTuningResourceConfig.{field}"
    for field in ("AllocationStrategy", "InstanceConfigs.VolumeSizeInGB", "VolumeKmsKeyId", "VolumeSizeInGB")
)

_CONTAINER_WITHOUT_EFFECT = (
    "ContainerHostname",
    "ContainerMetricsConfig",
    "ImageConfig",
    "ModelDataSource.S3DataSource.ModelAccessConfig",
    "MultiModelConfig",
)

#: Operation -> paths of the fields that are checked, stored and described, and change nothing here.
WITHOUT_EFFECT: dict[str, tuple[str, ...]] = {
    "CreateTrainingJob": (
        *_TRAINING_WITHOUT_EFFECT,
        "AlgorithmSpecification.TrainingImageConfig",
        "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries",
        "DebugRuleConfigurations.InstanceType",
        "DebugRuleConfigurations.LocalPath",
        "DebugRuleConfigurations.VolumeSizeInGB",
        "ExperimentConfig",
        "InfraCheckConfig",
        "ProfilerRuleConfigurations.InstanceType",
        "ProfilerRuleConfigurations.LocalPath",
        "ProfilerRuleConfigurations.RuleEvaluatorImage",
        "ProfilerRuleConfigurations.VolumeSizeInGB",
        "RemoteDebugConfig",
        "SessionChainingConfig",
    ),
    "CreateHyperParameterTuningJob": tuple(
        f"{definition}.{path}"
        for definition in _DEFINITIONS
        for path in (*_TRAINING_WITHOUT_EFFECT, *_TUNING_RESOURCES_WITHOUT_EFFECT)
    ),
    "CreateModel": (
        "EnableNetworkIsolation",
        "ExecutionRoleArn",
        "InferenceExecutionConfig",
        *(f"{container}.{path}" for container in _CONTAINERS for path in _CONTAINER_WITHOUT_EFFECT),
        "VpcConfig",
    ),
    "CreateEndpointConfig": (
        "EnableNetworkIsolation",
        "ExecutionRoleArn",
        "KmsKeyId",
        "MetricsConfig",
        "ProductionVariants.AcceleratorPartitionLayouts",
        "ProductionVariants.AcceleratorType",
        "ProductionVariants.CapacityReservationConfig",
        "ProductionVariants.CoreDumpConfig",
        "ProductionVariants.EnableSSMAccess",
        "ProductionVariants.InferenceAmiVersion",
        "ProductionVariants.ModelDataDownloadTimeoutInSeconds",
        "ProductionVariants.RoutingConfig",
        "ProductionVariants.VariantInstanceProvisionTimeoutInSeconds",
        "ProductionVariants.VolumeSizeInGB",
        "VpcConfig",
    ),
    "CreateEndpoint": ("DeploymentConfig",),
    "InvokeEndpoint": ("PrefixAwareId",),
    "UpdateTrainingJob": (
        "ProfilerRuleConfigurations.InstanceType",
        "ProfilerRuleConfigurations.LocalPath",
        "ProfilerRuleConfigurations.RuleEvaluatorImage",
        "ProfilerRuleConfigurations.VolumeSizeInGB",
        "RemoteDebugConfig",
    ),
    "UpdateEndpoint": (
        "DeploymentConfig",
        "RetainDeploymentConfig",
    ),
}


def check(operation: str, request: Mapping[str, Any]) -> None:
    """Unsupported, naming the field, where the request asks for what is not offered; a field without effect is
    written to the service's log, once."""
    for path, instead in REFUSED.get(operation, {}).items():
        field, _, value = path.partition("=")
        if any(found == value if value else found for found in _values(request, field.split("."))):
            raise Unsupported(f"{operation}: {path} is not supported by Sagehound; {instead}")
    for path in WITHOUT_EFFECT.get(operation, ()):
        if any(_values(request, path.split("."))):
            _say_once(operation, path)


def _values(document: Any, path: list[str]) -> Iterator[Any]:  # noqa: ANN401
    """What lies at `path`, through every item of the lists on the way."""
    if isinstance(document, list):
        for item in document:
            yield from _values(item, path)
    elif not path:
        yield document
    elif isinstance(document, Mapping) and path[0] in document:
        yield from _values(document[path[0]], path[1:])


@cache
def _say_once(operation: str, path: str) -> None:
    _log.info("%s: %s is accepted and has no effect here (COVERAGE.md lists such fields)", operation, path)
