"""ARNs, S3 addresses, and the names of trials."""

import pytest

from sagehound.errors import InvalidInput
from sagehound.names import Arn, S3Uri, trial_name, trial_number


def test_an_arn_reads_back():
    text = "arn:aws:sagemaker:us-east-1:000000000000:training-job/dogs"
    assert Arn.parse(text) == Arn("sagemaker", "us-east-1", "000000000000", "training-job", "dogs")
    assert str(Arn.parse(text)) == text
    assert Arn.parse("arn:aws:iam::000000000000:role/service-role/x").name == "service-role/x"


@pytest.mark.parametrize("text", ["", "dogs", "arn:aws:s3:::bucket", "arn:aws:iam::0:role", "x:aws:iam::0:role/a"])
def test_what_is_no_arn_is_refused(text):
    with pytest.raises(InvalidInput, match="is not an ARN"):
        Arn.parse(text)


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        ("s3://photos", "photos", ""),
        ("s3://photos/", "photos", ""),
        ("s3://photos/a/b.jpg", "photos", "a/b.jpg"),
        ("s3://photos//a b/é", "photos", "/a b/é"),
    ],
)
def test_an_s3_address(text, bucket, key):
    assert S3Uri.parse(text) == S3Uri(bucket, key)


@pytest.mark.parametrize(
    "text", ["", "photos/a", "https://photos/a", "s3://", "s3:///a", "s3://UP/a", "s3://a/b", "s3://../x"]
)
def test_what_is_no_s3_address_is_refused(text):
    with pytest.raises(InvalidInput, match="write s3://bucket/prefix"):
        S3Uri.parse(text)


def test_addresses_join():
    assert str(S3Uri("photos", "dogs/") / "train") == "s3://photos/dogs/train"
    assert str(S3Uri("photos") / "train" / "0.jpg") == "s3://photos/train/0.jpg"


def test_names_of_trials_fit_differ_and_stay():
    names = [trial_name(job, number) for job in ("t" * 32, "t" * 31 + "u", "u") for number in (1, 7, 1000)]
    assert len(set(names)) == 9
    assert all(len(name) <= 63 for name in names)
    assert names[:1] == [trial_name("t" * 32, 1)]
    assert [trial_number(name) for name in names] == [1, 7, 1000] * 3


def test_other_names_have_no_number():
    with pytest.raises(InvalidInput, match="is not the name of a tuning job's trial"):
        trial_number("dogs")
