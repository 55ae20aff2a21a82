"""A training job's life as its record tells it."""

import msgspec

from sagehound.records.training import (
    Channel,
    Metric,
    MetricDefinition,
    SecondaryStatus,
    TrainingJob,
    TrainingSpec,
    TrainingStatus,
)


def job(**changes):
    spec = TrainingSpec(
        output_uri="s3://abc/",
        instance_type="ml.m5.large",
        channels=(Channel(name="training", uri="s3://abc/data"),),
        metrics=(MetricDefinition(name="m", regex="m: (.*)"),),
    )
    return TrainingJob(name="j", created_at=0, modified_at=0, arn="arn", spec=spec, document={}, **changes)


def test_enter_closes_the_stretch_before():
    began = job().enter(SecondaryStatus.PENDING, 1, "waiting")
    later = began.enter(SecondaryStatus.STARTING, 3, "starting")
    assert [(t.status, t.started_at, t.ended_at, t.message) for t in later.history] == [
        (SecondaryStatus.PENDING, 1, 3, "waiting"),
        (SecondaryStatus.STARTING, 3, None, "starting"),
    ]
    assert (later.secondary, later.modified_at) == (SecondaryStatus.STARTING, 3)


def test_the_last_stretch_ends_as_it_begins():
    for last in ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded"):
        ended = job().enter(SecondaryStatus(last), 5)
        assert (ended.history[-1].started_at, ended.history[-1].ended_at) == (5, 5)


def test_a_job_survives_json():
    full = job(status=TrainingStatus.COMPLETED, metrics=(Metric(name="m", value=0.5, at=2),)).enter(
        SecondaryStatus.COMPLETED, 5
    )
    assert msgspec.json.decode(msgspec.json.encode(full), type=TrainingJob) == full


def test_only_two_states_go_on():
    assert [status for status in TrainingStatus if not status.ended] == ["InProgress", "Stopping"]
