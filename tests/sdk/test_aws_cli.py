"""The AWS CLI as a client."""

import json

import pytest

from sagehound.address import load_address


@pytest.fixture
def bucket(aws):
    aws("s3", "mb", "s3://cli-bucket", check=False)
    return "s3://cli-bucket"


def test_objects_come_and_go(aws, bucket, tmp_path):
    photos = tmp_path / "photos"
    (photos / "cats").mkdir(parents=True)
    for number in range(3):
        (photos / "cats" / f"{number}.jpg").write_bytes(bytes([number]) * 1000)
    aws("s3", "sync", photos, f"{bucket}/photos")
    assert aws("s3", "ls", f"{bucket}/photos/cats/").count(".jpg") == 3
    aws("s3", "cp", f"{bucket}/photos/cats/2.jpg", tmp_path / "two.jpg")
    assert (tmp_path / "two.jpg").read_bytes() == b"\x02" * 1000
    aws("s3", "cp", "--recursive", f"{bucket}/photos", tmp_path / "back")
    assert len(list((tmp_path / "back").rglob("*.jpg"))) == 3
    aws("s3", "rm", "--recursive", f"{bucket}/photos")
    assert aws("s3", "ls", f"{bucket}/photos/", check=False).stdout == ""


def test_a_large_object_goes_up_in_parts(aws, bucket, tmp_path):
    large = tmp_path / "large.bin"
    large.write_bytes(b"0123456789abcdef" * (20 * 65536))
    aws("s3", "cp", large, f"{bucket}/large.bin")
    aws("s3", "cp", f"{bucket}/large.bin", tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == large.read_bytes()


def test_who_am_i(aws, home):
    identity = json.loads(aws("sts", "get-caller-identity"))
    assert identity["Account"] == load_address(home).account
    assert ":assumed-role/" in identity["Arn"]


def test_lists_and_describes(aws):
    assert "TrainingJobSummaries" in json.loads(aws("sagemaker", "list-training-jobs", "--max-items", "3"))
    assert "HyperParameterTuningJobSummaries" in json.loads(aws("sagemaker", "list-hyper-parameter-tuning-jobs"))
    assert "Endpoints" in json.loads(aws("sagemaker", "list-endpoints"))
    done = aws("sagemaker", "describe-training-job", "--training-job-name", "nobody", check=False)
    assert done.returncode != 0
    assert "ValidationException" in done.stderr


def test_a_tuning_job_that_there_is_not_cannot_be_deleted(aws):
    done = aws("sagemaker", "delete-hyper-parameter-tuning-job", "--hyper-parameter-tuning-job-name", "no", check=False)
    assert done.returncode != 0
    assert "ValidationException" in done.stderr
    assert "can't find a tuning job called no" in done.stderr


def test_an_unsupported_operation_is_refused_by_name(aws):
    done = aws("sagemaker", "list-notebook-instances", check=False)
    assert done.returncode != 0
    assert "ListNotebookInstances" in done.stderr


def test_a_wrong_secret_is_refused(aws):
    done = aws("sagemaker", "list-training-jobs", check=False, AWS_SECRET_ACCESS_KEY="wrong")
    assert done.returncode != 0
    assert "InvalidSignatureException" in done.stderr or "SignatureDoesNotMatch" in done.stderr


def test_a_wrong_key_is_refused_by_both_servers(aws, bucket):
    done = aws("sts", "get-caller-identity", check=False, AWS_ACCESS_KEY_ID="AKIAWRONG")
    assert done.returncode != 0
    assert "InvalidClientTokenId" in done.stderr
    assert aws("s3", "ls", bucket, check=False, AWS_SECRET_ACCESS_KEY="wrong").returncode != 0
