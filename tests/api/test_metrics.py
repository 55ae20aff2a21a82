"""CloudWatch metrics through GetMetricStatistics."""

import json

import pytest

from sagehound.errors import InvalidInput, Unsupported
from tests.api import requests

JOB = "dog-2026-11-22"
#: A whole minute.
START = 1_795_365_000.0


@pytest.fixture
def written(call, context):
    call("CreateTrainingJob", **requests.training(JOB))
    folder = context.settings.jobs_folder / JOB
    folder.mkdir(parents=True)
    points = [("loss", 0.5, 10), ("loss", 1.5, 50), ("other", 9, 55), ("loss", 0.25, 130)]
    lines = [json.dumps({"name": name, "value": value, "at": START + at}) for name, value, at in points]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")


def get(call, **changes):
    request = {
        "Namespace": "/aws/sagemaker/TrainingJobs",
        "MetricName": "loss",
        "Dimensions": [{"Name": "TrainingJobName", "Value": JOB}],
        "StartTime": START,
        "EndTime": START + 600,
        "Period": 60,
        "Statistics": ["Average"],
    }
    return call("GetMetricStatistics", **request | changes)


def test_a_datapoint_a_period(call, written):
    assert get(call) == {
        "Label": "loss",
        "Datapoints": [
            {"Timestamp": START, "Average": 1.0, "Unit": "None"},
            {"Timestamp": START + 120, "Average": 0.25, "Unit": "None"},
        ],
    }


def test_every_statistic(call, written):
    statistics = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]
    (point, _) = get(call, Statistics=statistics)["Datapoints"]
    assert [point[name] for name in statistics] == [2, 1.0, 2.0, 0.5, 1.5]


def test_periods(call, written):
    assert len(get(call, Period=1)["Datapoints"]) == 3
    assert [p["Average"] for p in get(call, Period=300)["Datapoints"]] == [0.75]
    with pytest.raises(InvalidInput, match="Period must be"):
        get(call, Period=45)


def test_the_first_period_counts_whole_as_the_sdk_expects(call, written):
    """TrainingJobAnalytics asks from the second at which training began."""
    assert get(call, StartTime=START + 30)["Datapoints"][0]["Timestamp"] == START


def test_the_end_is_excluded(call, written):
    assert len(get(call, EndTime=START + 130)["Datapoints"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"MetricName": "none"},
        {"Namespace": "AWS/SageMaker"},
        {"Dimensions": []},
        {"Dimensions": [{"Name": "TrainingJobName", "Value": "../../etc"}]},
        {"Unit": "Seconds"},
    ],
)
def test_a_metric_that_nobody_writes_has_no_datapoints(call, written, changes):
    assert get(call, **changes)["Datapoints"] == []


def test_what_can_not_be_answered_is_refused(call, written):
    with pytest.raises(Unsupported, match="ExtendedStatistics"):
        get(call, ExtendedStatistics=["p50"])
    with pytest.raises(InvalidInput, match="StartTime must be less"):
        get(call, EndTime=START)
