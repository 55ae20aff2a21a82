"""Training jobs through the SageMaker SDK v2."""

import io
import tarfile

import boto3
import pytest
from botocore.exceptions import ClientError

from sagehound.names import S3Uri
from tests.sdk.waiting import eventually


def described(sm, name):
    return sm.describe_training_job(TrainingJobName=name)


def ended(sm, name):
    description = described(sm, name)
    return description if description["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None


def log_of(name):
    logs = boto3.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    return [event["message"] for event in events["events"]]


def members(uri):
    """The files in an archive in S3, with their text."""
    place = S3Uri.parse(uri)
    body = boto3.client("s3").get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {m.name.removeprefix("./"): archive.extractfile(m).read().decode() for m in archive if m.isfile()}


def test_fit_prints_the_scripts_lines_and_leaves_the_model(estimator, inputs, sm, capsys):
    job = estimator("steps.py", hyperparameters={"lr": 0.25, "batch_size": "32", "epochs": 2})
    job.fit({"training": inputs})
    printed = capsys.readouterr().out
    assert "Test set: Average loss: 0.381250, Accuracy: 80/100 (80%)" in printed
    assert "files ['one.jpg', 'two.jpg']" in printed
    assert "Training seconds:" in printed
    assert members(job.model_data) == {"weights.txt": "0.25"}
    description = described(sm, job.latest_training_job.name)
    assert description["TrainingJobStatus"] == "Completed"
    assert [t["Status"] for t in description["SecondaryStatusTransitions"]][-1] == "Completed"
    assert description["FinalMetricDataList"][0]["MetricName"] == "average test loss"
    assert description["FinalMetricDataList"][0]["Value"] == pytest.approx(0.33125)
    assert description["BillableTimeInSeconds"] >= 1
    output = f"{job.output_path}{job.latest_training_job.name}/output/output.tar.gz"
    assert members(output) == {"data/notes.txt": "done"} or members(output) == {"notes.txt": "done"}


def test_attach_to_a_job_that_was_not_waited_for(estimator, session, sm, capsys):
    from sagemaker.analytics import TrainingJobAnalytics
    from sagemaker.pytorch import PyTorch

    job = estimator("steps.py", hyperparameters={"lr": 0.5})
    job.fit(wait=False)
    name = job.latest_training_job.name
    assert described(sm, name)["TrainingJobStatus"] == "InProgress"
    attached = PyTorch.attach(name, sagemaker_session=session)
    assert attached.hyperparameters()["lr"] == "0.5"
    assert ended(sm, name)["TrainingJobStatus"] == "Completed"
    assert members(attached.model_data) == {"weights.txt": "0.5"}
    frame = TrainingJobAnalytics(name, ["average test loss"], sagemaker_session=session).dataframe()
    assert list(frame["metric_name"]) == ["average test loss"]
    assert frame["value"][0] == pytest.approx(0.63125)


def test_a_failing_script_says_where(estimator, session, sm, capsys):
    from sagemaker.exceptions import UnexpectedStatusException

    job = estimator("fails.py")
    with pytest.raises(UnexpectedStatusException):
        job.fit()
    description = described(sm, job.latest_training_job.name)
    assert description["TrainingJobStatus"] == "Failed"
    assert "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/file'" in description["FailureReason"]
    assert "fails.py" in description["FailureReason"]
    assert "line 5" in description["FailureReason"]
    assert len(description["FailureReason"]) <= 1024
    assert "about to read" in capsys.readouterr().out


def test_stop_keeps_the_model_so_far(estimator, sm):
    job = estimator("waits.py")
    job.fit(wait=False)
    name = job.latest_training_job.name
    eventually(lambda: described(sm, name)["SecondaryStatus"] == "Training" and "begun" in log_of(name))
    sm.stop_training_job(TrainingJobName=name)
    description = eventually(lambda: ended(sm, name))
    assert description["TrainingJobStatus"] == "Stopped"
    assert members(description["ModelArtifacts"]["S3ModelArtifacts"]) == {"so-far.txt": "half"}


def test_a_job_ends_at_its_time_limit(estimator, sm):
    job = estimator("waits.py", max_run=2)
    job.fit(wait=False)
    description = eventually(lambda: ended(sm, job.latest_training_job.name))
    assert description["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert description["TrainingJobStatus"] == "Stopped"


def test_two_jobs_side_by_side_each_have_their_own_opt_ml(estimator, sm, tmp_path, monkeypatch):
    for name in ("SM_MODEL_DIR", "SM_CHANNEL_TRAINING", "SM_HPS"):
        monkeypatch.setenv(name, "s3://leaked/from/the/notebook")
    names = []
    for me, twin in (("left", "right"), ("right", "left")):
        job = estimator("literal.py", hyperparameters={"me": me, "twin": twin, "meeting": str(tmp_path)})
        job.fit(wait=False)
        names.append(job.latest_training_job.name)
    for name, me in zip(names, ("left", "right"), strict=True):
        description = eventually(lambda name=name: ended(sm, name))
        assert description["TrainingJobStatus"] == "Completed", description.get("FailureReason")
        assert members(description["ModelArtifacts"]["S3ModelArtifacts"]) == {"who.txt": me}
        log = log_of(name)
        assert f"met True mine says {me}" in log
        assert "leaked []" in log


def test_two_hosts_know_each_other(estimator, sm):
    job = estimator("steps.py", instance_count=2)
    job.fit(wait=False)
    name = job.latest_training_job.name
    assert eventually(lambda: ended(sm, name))["TrainingJobStatus"] == "Completed"
    streams = boto3.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
    )["logStreams"]
    assert [stream["logStreamName"].split("/")[1][:6] for stream in streams] == ["algo-1", "algo-2"]


def test_a_name_is_given_once(estimator, sm):
    job = estimator("waits.py", max_run=60)
    job.fit(wait=False, job_name="once")
    with pytest.raises(ClientError, match="ResourceInUse"):
        estimator("waits.py").fit(wait=False, job_name="once")
    sm.stop_training_job(TrainingJobName="once")
    eventually(lambda: ended(sm, "once"))


def test_missing_data_fails_the_job_with_the_address(estimator, session, sm):
    job = estimator("steps.py")
    job.fit({"training": f"s3://{session.default_bucket()}/nothing/here"}, wait=False)
    description = eventually(lambda: ended(sm, job.latest_training_job.name))
    assert description["TrainingJobStatus"] == "Failed"
    assert f"s3://{session.default_bucket()}/nothing/here" in description["FailureReason"]
