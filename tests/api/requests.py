"""Requests as the official SDK sends them."""

from typing import Any

BUCKET = "s3://sagemaker-us-east-1-000000000000"
ROLE = "arn:aws:iam::000000000000:role/service-role/local-role"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:1.8-cpu-py36"
LOSS = {"Name": "average test loss", "Regex": r"Test set: Average loss: ([0-9\.]+)"}


def channel(name: str = "training", **changes: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"{BUCKET}/data", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source | changes}}


def training(name: str = "dog-2026-11-22", **changes: Any) -> dict[str, Any]:
    """`estimator.fit` of SDK v2."""
    return {
        "AlgorithmSpecification": {
            "TrainingInputMode": "File",
            "TrainingImage": IMAGE,
            "MetricDefinitions": [LOSS],
            "EnableSageMakerMetricsTimeSeries": True,
        },
        "OutputDataConfig": {"S3OutputPath": f"{BUCKET}/"},
        "TrainingJobName": name,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "ResourceConfig": {"VolumeSizeInGB": 30, "InstanceCount": 1, "InstanceType": "ml.c5.2xlarge"},
        "RoleArn": ROLE,
        "InputDataConfig": [channel()],
        "HyperParameters": {
            "batch-size": "128",
            "lr": '"0.01"',
            "sagemaker_submit_directory": f'"{BUCKET}/{name}/source/sourcedir.tar.gz"',
            "sagemaker_program": '"hpo.py"',
            "sagemaker_container_log_level": "20",
            "sagemaker_job_name": f'"{name}"',
            "sagemaker_region": '"us-east-1"',
        },
        "DebugHookConfig": {"S3OutputPath": f"{BUCKET}/", "CollectionConfigurations": []},
        "ProfilerConfig": {"S3OutputPath": f"{BUCKET}/", "DisableProfiler": False},
        **changes,
    }


def tuning(name: str = "pytorch-training-261122-1649", **config: Any) -> dict[str, Any]:
    """`tuner.fit` of SDK v2, with the seed's ranges."""
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "TrainingJobEarlyStoppingType": "Off",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "average test loss"},
            "ParameterRanges": ranges(),
            **config,
        },
        "TrainingJobDefinition": definition(),
    }


def ranges(**changes: Any) -> dict[str, Any]:
    return {
        "ContinuousParameterRanges": [
            {"Name": "lr", "MinValue": "0.001", "MaxValue": "0.1", "ScalingType": "Auto"},
        ],
        "CategoricalParameterRanges": [
            {"Name": "batch_size", "Values": ['"32"', '"64"', '"128"']},
            {"Name": "epochs", "Values": ['"1"', '"2"']},
        ],
        "IntegerParameterRanges": [],
        **changes,
    }


def definition(**changes: Any) -> dict[str, Any]:
    return {
        "StaticHyperParameters": {
            "sagemaker_submit_directory": f'"{BUCKET}/x/source/sourcedir.tar.gz"',
            "sagemaker_program": '"hpo.py"',
            "sagemaker_estimator_class_name": '"PyTorch"',
            "sagemaker_estimator_module": '"sagemaker.pytorch.estimator"',
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"{BUCKET}/"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "HyperParameterTuningResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.c5.2xlarge",
            "VolumeSizeInGB": 30,
        },
        "AlgorithmSpecification": {"TrainingInputMode": "File", "MetricDefinitions": [LOSS], "TrainingImage": IMAGE},
        "InputDataConfig": [channel()],
        **changes,
    }


def model(name: str = "m9", **container: Any) -> dict[str, Any]:
    return {
        "ModelName": name,
        "PrimaryContainer": {
            "Image": "pytorch-inference:1.8-cpu-py3",
            "ModelDataUrl": f"{BUCKET}/dog/output/model.tar.gz",
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
            **container,
        },
        "ExecutionRoleArn": ROLE,
    }


def variant(name: str = "AllTraffic", model_name: str = "m9", **changes: Any) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model_name,
        "InitialVariantWeight": 1,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        **changes,
    }


def config(name: str = "c9", *variants: dict[str, Any]) -> dict[str, Any]:
    return {"EndpointConfigName": name, "ProductionVariants": list(variants) or [variant()]}
