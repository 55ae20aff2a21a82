"""The table of every operation that the service offers."""

from __future__ import annotations

from sagehound.api import (
    endpoint_configs,
    endpoints,
    iam,
    logs,
    metrics,
    models,
    runtime,
    sts,
    tags,
    training_jobs,
    tuning_jobs,
)
from sagehound.api.context import Operation

#: (service, operation) as botocore names them -> the function that does it.
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("sts", "GetCallerIdentity"): sts.get_caller_identity,
    ("iam", "GetRole"): iam.get_role,
    ("iam", "SimulatePrincipalPolicy"): iam.simulate_principal_policy,
    ("sagemaker", "AddTags"): tags.add,
    ("sagemaker", "ListTags"): tags.list_of,
    ("sagemaker", "DeleteTags"): tags.delete,
    ("sagemaker", "CreateTrainingJob"): training_jobs.create,
    ("sagemaker", "DescribeTrainingJob"): training_jobs.describe,
    ("sagemaker", "UpdateTrainingJob"): training_jobs.update,
    ("sagemaker", "StopTrainingJob"): training_jobs.stop,
    ("sagemaker", "ListTrainingJobs"): training_jobs.list_of,
    ("sagemaker", "CreateHyperParameterTuningJob"): tuning_jobs.create,
    ("sagemaker", "DescribeHyperParameterTuningJob"): tuning_jobs.describe,
    ("sagemaker", "StopHyperParameterTuningJob"): tuning_jobs.stop,
    ("sagemaker", "DeleteHyperParameterTuningJob"): tuning_jobs.delete,
    ("sagemaker", "ListHyperParameterTuningJobs"): tuning_jobs.list_of,
    ("sagemaker", "ListTrainingJobsForHyperParameterTuningJob"): tuning_jobs.list_trials,
    ("sagemaker", "CreateModel"): models.create,
    ("sagemaker", "DescribeModel"): models.describe,
    ("sagemaker", "DeleteModel"): models.delete,
    ("sagemaker", "ListModels"): models.list_of,
    ("sagemaker", "CreateEndpointConfig"): endpoint_configs.create,
    ("sagemaker", "DescribeEndpointConfig"): endpoint_configs.describe,
    ("sagemaker", "DeleteEndpointConfig"): endpoint_configs.delete,
    ("sagemaker", "ListEndpointConfigs"): endpoint_configs.list_of,
    ("sagemaker", "CreateEndpoint"): endpoints.create,
    ("sagemaker", "DescribeEndpoint"): endpoints.describe,
    ("sagemaker", "UpdateEndpoint"): endpoints.update,
    ("sagemaker", "DeleteEndpoint"): endpoints.delete,
    ("sagemaker", "ListEndpoints"): endpoints.list_of,
    ("logs", "DescribeLogStreams"): logs.describe_streams,
    ("logs", "GetLogEvents"): logs.get_events,
    ("logs", "FilterLogEvents"): logs.filter_events,
    ("cloudwatch", "GetMetricStatistics"): metrics.get_statistics,
    ("sagemaker-runtime", "InvokeEndpoint"): runtime.invoke_endpoint,
}
