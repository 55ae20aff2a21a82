"""Training jobs through their operations."""

import dataclasses

import pytest

from sagehound.errors import AlreadyExists, InvalidInput
from sagehound.records.training import Metric, SecondaryStatus, TrainingJob, TrainingStatus
from tests.api import requests
from tests.api.conftest import NOW

ARN = "arn:aws:sagemaker:us-east-1:000000000000:training-job/dog-2026-11-22"


def run_to(context, name, status, **changes):
    """What the training loop writes of a job that ran from 1 s to 3.5 s after its creation."""

    def change(job):
        for second, secondary in ((1, "Starting"), (2, "Training"), (3.5, status.value)):
            job = job.enter(SecondaryStatus(secondary), NOW + second, f"{secondary}...")
        return job.evolve(status=status, started_at=NOW + 1, ended_at=NOW + 3.5, **changes)

    return context.store.update(TrainingJob, name, change)


def test_create_gives_the_arn_and_a_pending_record(call, context):
    assert call("CreateTrainingJob", **requests.training()) == {"TrainingJobArn": ARN}
    job = context.store.get(TrainingJob, "dog-2026-11-22")
    assert (job.status, job.secondary, job.created_at) == (TrainingStatus.IN_PROGRESS, SecondaryStatus.PENDING, NOW)
    assert job.spec.hyperparameters["lr"] == '"0.01"'


def test_describe_gives_back_what_was_sent(call):
    request = requests.training(Environment={"FOO": "1"}, EnableManagedSpotTraining=True)
    call("CreateTrainingJob", **request)
    described = call("DescribeTrainingJob", TrainingJobName="dog-2026-11-22")
    output = {"S3OutputPath": f"{requests.BUCKET}/", "KmsKeyId": "", "CompressionType": "GZIP"}
    assert {key: described[key] for key in request} == {**request, "OutputDataConfig": output}
    assert described["TrainingJobStatus"] == "InProgress"
    assert described["SecondaryStatusTransitions"] == [
        {"Status": "Pending", "StartTime": NOW, "StatusMessage": "Waiting for a free slot on this machine"}
    ]


def test_describe_shows_a_completed_job(call, context):
    call("CreateTrainingJob", **requests.training())
    uri = f"{requests.BUCKET}/dog-2026-11-22/output/model.tar.gz"
    loss = Metric(name="average test loss", value=0.25, at=NOW + 2)
    run_to(context, "dog-2026-11-22", TrainingStatus.COMPLETED, artifacts_uri=uri, metrics=(loss,))
    described = call("DescribeTrainingJob", TrainingJobName="dog-2026-11-22")
    assert described["ModelArtifacts"] == {"S3ModelArtifacts": uri}
    assert described["FinalMetricDataList"] == [
        {"MetricName": "average test loss", "Value": 0.25, "Timestamp": NOW + 2}
    ]
    assert (described["TrainingTimeInSeconds"], described["BillableTimeInSeconds"]) == (3, 3)
    assert [(t["Status"], t["EndTime"]) for t in described["SecondaryStatusTransitions"]] == [
        ("Pending", NOW + 1),
        ("Starting", NOW + 2),
        ("Training", NOW + 3.5),
        ("Completed", NOW + 3.5),
    ]


def test_metrics_of_a_running_job_are_read_from_its_folder(call, context):
    call("CreateTrainingJob", **requests.training())
    folder = context.settings.jobs_folder / "dog-2026-11-22"
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text('{"name": "average test loss", "value": 0.5, "at": 1.0}\n')
    described = call("DescribeTrainingJob", TrainingJobName="dog-2026-11-22")
    assert described["FinalMetricDataList"][0]["Value"] == 0.5


def test_a_long_failure_reason_keeps_its_end(call, context):
    call("CreateTrainingJob", **requests.training())
    run_to(context, "dog-2026-11-22", TrainingStatus.FAILED, failure_reason="x" * 2000 + "ValueError: why")
    reason = call("DescribeTrainingJob", TrainingJobName="dog-2026-11-22")["FailureReason"]
    assert (len(reason), reason[:4], reason[-15:]) == (1024, "...x", "ValueError: why")


def test_a_name_is_taken_once(call, context):
    call("CreateTrainingJob", **requests.training(Tags=[{"Key": "a", "Value": "1"}]))
    with pytest.raises(AlreadyExists, match="Training job names must be unique within an AWS account and region"):
        call("CreateTrainingJob", **requests.training(Tags=[{"Key": "a", "Value": "2"}]))
    assert call("ListTags", ResourceArn=ARN)["Tags"] == [{"Key": "a", "Value": "1"}]


def test_a_refused_tag_leaves_no_job(call, context):
    with pytest.raises(InvalidInput, match="reserved"):
        call("CreateTrainingJob", **requests.training(Tags=[{"Key": "aws:a", "Value": "1"}]))
    assert call("ListTrainingJobs")["TrainingJobSummaries"] == []


def test_an_unknown_job_is_a_validation_error_in_aws_words(call):
    for operation in ("DescribeTrainingJob", "StopTrainingJob"):
        with pytest.raises(InvalidInput, match=r"Requested resource not found\."):
            call(operation, TrainingJobName="none")


def test_stop_asks_once_and_is_refused_at_the_end(call, context, clock):
    call("CreateTrainingJob", **requests.training())
    clock.advance(5)
    assert call("StopTrainingJob", TrainingJobName="dog-2026-11-22") == {}
    stopping = context.store.get(TrainingJob, "dog-2026-11-22")
    assert (stopping.status, stopping.secondary) == (TrainingStatus.STOPPING, SecondaryStatus.STOPPING)
    assert stopping.history[-1].started_at == NOW + 5
    call("StopTrainingJob", TrainingJobName="dog-2026-11-22")
    assert context.store.get(TrainingJob, "dog-2026-11-22") == stopping
    run_to(context, "dog-2026-11-22", TrainingStatus.STOPPED)
    with pytest.raises(InvalidInput, match="rejected because the training job is in status Stopped"):
        call("StopTrainingJob", TrainingJobName="dog-2026-11-22")


def test_a_trial_shows_its_own_hyperparameters_and_its_tuning_job(call, context):
    call("CreateTrainingJob", **requests.training())
    sibling = context.store.get(TrainingJob, "dog-2026-11-22")
    tuned = {**sibling.spec.hyperparameters, "lr": "0.05", "_tuning_objective_metric": "average test loss"}
    spec = dataclasses.replace(sibling.spec, hyperparameters=tuned)
    context.store.insert(dataclasses.replace(sibling, name="t-001-12345678", parent="t", spec=spec))
    described = call("DescribeTrainingJob", TrainingJobName="t-001-12345678")
    assert described["HyperParameters"] == tuned
    assert described["TuningJobArn"] == "arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/t"
    assert described["TrainingJobName"] == "t-001-12345678"


def test_list_filters_sorts_and_pages(call, context, clock):
    for name in ("b-dog", "a-dog", "c-cat"):
        call("CreateTrainingJob", **requests.training(name))
        clock.advance(10)
    run_to(context, "a-dog", TrainingStatus.COMPLETED)

    def names(**request):
        return [item["TrainingJobName"] for item in call("ListTrainingJobs", **request)["TrainingJobSummaries"]]

    assert names() == ["b-dog", "a-dog", "c-cat"]
    assert names(SortBy="Name", SortOrder="Descending") == ["c-cat", "b-dog", "a-dog"]
    assert names(SortBy="Status") == ["a-dog", "b-dog", "c-cat"]
    assert names(NameContains="DOG") == ["b-dog", "a-dog"]
    assert names(StatusEquals="Completed") == ["a-dog"]
    assert names(CreationTimeAfter=NOW + 5, CreationTimeBefore=NOW + 15) == ["a-dog"]
    assert names(LastModifiedTimeAfter=NOW + 15) == ["c-cat"]
    assert names(WarmPoolStatusEquals="InUse") == []
    first = call("ListTrainingJobs", MaxResults=2)
    assert [item["TrainingJobName"] for item in first["TrainingJobSummaries"]] == ["b-dog", "a-dog"]
    assert names(MaxResults=2, NextToken=first["NextToken"]) == ["c-cat"]


@pytest.mark.parametrize("token", ["nonsense", "bm9uZQ==", "W10=", "W1sxXSwgWzJdXQ=="])
def test_a_made_up_token_is_refused(call, token):
    with pytest.raises(InvalidInput, match="not a page's token"):
        call("ListTrainingJobs", NextToken=token)
