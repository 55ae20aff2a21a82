"""CloudWatch metrics of training jobs, as the SDK's TrainingJobAnalytics reads them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sagehound.api.context import Context
from sagehound.errors import InvalidInput, NotFound, Unsupported
from sagehound.jobs.metrics import datapoints
from sagehound.records.training import Metric, TrainingJob

NAMESPACE = "/aws/sagemaker/TrainingJobs"
_DIMENSION = "TrainingJobName"
_FINE_PERIODS_S = (1, 5, 10, 20, 30)

_STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "SampleCount": len,
    "Average": lambda values: math.fsum(values) / len(values),
    "Sum": math.fsum,
    "Minimum": min,
    "Maximum": max,
}


def get_statistics(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """GetMetricStatistics: the values of one metric of one job, a datapoint a period that has any, by time."""
    period_s, statistics = _period_s(request), _statistics(request)
    buckets: dict[float, list[float]] = defaultdict(list)
    for point in _points(request, context):
        if request["StartTime"] // period_s * period_s <= point.at < request["EndTime"]:
            buckets[point.at // period_s * period_s].append(point.value)
    return {
        "Label": request["MetricName"],
        "Datapoints": [
            {"Timestamp": at, "Unit": "None", **{name: _STATISTICS[name](buckets[at]) for name in statistics}}
            for at in sorted(buckets)
        ],
    }


def _points(request: dict[str, Any], context: Context) -> list[Metric]:
    """All values of the metric; none for a metric that nobody writes, as CloudWatch has it."""
    dimensions = {item["Name"]: item["Value"] for item in request.get("Dimensions", [])}
    if request["Namespace"] != NAMESPACE or set(dimensions) != {_DIMENSION} or request.get("Unit", "None") != "None":
        return []
    try:
        job = context.store.get(TrainingJob, dimensions[_DIMENSION]).name
    except NotFound:
        return []
    return datapoints(context.settings.jobs_folder / job, request["MetricName"])


def _period_s(request: dict[str, Any]) -> int:
    period_s = int(request["Period"])
    if period_s not in _FINE_PERIODS_S and period_s % 60:
        raise InvalidInput(f"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60; it is {period_s}")
    if request["StartTime"] >= request["EndTime"]:
        raise InvalidInput("The parameter StartTime must be less than the parameter EndTime.")
    return period_s


def _statistics(request: dict[str, Any]) -> list[str]:
    if request.get("ExtendedStatistics"):
        raise Unsupported("ExtendedStatistics are not supported by Sagehound; send Statistics, e.g. Average")
    statistics: list[str] = request.get("Statistics", [])
    if not statistics:
        raise InvalidInput("send Statistics: SampleCount, Average, Sum, Minimum or Maximum")
    return statistics
