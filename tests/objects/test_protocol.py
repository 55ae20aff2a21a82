"""What clients of S3 do, at the embedded store."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sagehound.keys import load_keys


@pytest.fixture
def client(server, server_home, monkeypatch):
    monkeypatch.setenv("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")
    keys = load_keys(server_home)
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-west-2",
        config=Config(signature_version="s3v4"),
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
    )


@pytest.fixture
def made(client, bucket) -> str:
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    return bucket


def test_a_bucket_is_a_folder_and_outlives_its_last_object(client, made, server_home):
    client.put_object(Bucket=made, Key="a/b", Body=b"x")
    client.delete_object(Bucket=made, Key="a/b")
    client.head_bucket(Bucket=made)
    assert (server_home / "s3" / made).is_dir()
    assert "Contents" not in client.list_objects_v2(Bucket=made)
    client.delete_bucket(Bucket=made)
    assert not (server_home / "s3" / made).exists()


def test_a_multipart_upload_and_a_range_of_it(client, made, tmp_path, server_home):
    data = os.urandom(2**20) * 100
    (tmp_path / "large").write_bytes(data)
    client.upload_file(str(tmp_path / "large"), made, "models/large")
    assert (server_home / "s3" / made / "models" / "large").read_bytes() == data
    part = client.get_object(Bucket=made, Key="models/large", Range="bytes=1000000-1000009")
    assert part["Body"].read() == data[1_000_000:1_000_010]
    assert part["ContentRange"] == f"bytes 1000000-1000009/{len(data)}"
    client.download_file(made, "models/large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data


def test_thousands_of_keys_come_in_pages(client, made, server_home):
    folder = server_home / "s3" / made / "many"
    folder.mkdir()
    for number in range(3068):
        (folder / f"{number:04d}").touch()
    client.put_object(Bucket=made, Key="many/last", Body=b"")
    pages = list(client.get_paginator("list_objects_v2").paginate(Bucket=made, Prefix="many/"))
    assert [len(page["Contents"]) for page in pages] == [1000, 1000, 1000, 69]


def test_common_prefixes(client, made):
    for key in ("a/1", "a/2", "b/1", "c"):
        client.put_object(Bucket=made, Key=key, Body=b"")
    page = client.list_objects_v2(Bucket=made, Delimiter="/")
    assert [prefix["Prefix"] for prefix in page["CommonPrefixes"]] == ["a/", "b/"]
    assert [item["Key"] for item in page["Contents"]] == ["c"]


def test_what_is_missing_is_404(client, made):
    with pytest.raises(ClientError, match="404"):
        client.head_object(Bucket=made, Key="none")
    with pytest.raises(client.exceptions.NoSuchKey):
        client.get_object(Bucket=made, Key="none")
    with pytest.raises(ClientError, match="404"):
        client.head_bucket(Bucket=f"{made}-none")


def test_copy_delete_many_and_a_presigned_address(client, made):
    client.put_object(Bucket=made, Key="a", Body=b"text")
    client.copy_object(Bucket=made, Key="b", CopySource={"Bucket": made, "Key": "a"})
    url = client.generate_presigned_url("get_object", Params={"Bucket": made, "Key": "b"})
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"text"
    client.delete_objects(Bucket=made, Delete={"Objects": [{"Key": "a"}, {"Key": "b"}, {"Key": "none"}]})
    assert "Contents" not in client.list_objects_v2(Bucket=made)


def test_the_aws_cli(server, server_home, bucket, tmp_path):
    keys = load_keys(server_home)
    environment = os.environ | {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    }

    def aws(*words: object) -> str:
        command = [str(Path(sys.executable).parent / "aws"), "s3", *map(str, words)]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    (tmp_path / "data" / "cats").mkdir(parents=True)
    (tmp_path / "data" / "cats" / "1.jpg").write_bytes(b"cat")
    (tmp_path / "data" / "2.jpg").write_bytes(b"dog")
    aws("mb", f"s3://{bucket}")
    aws("sync", tmp_path / "data", f"s3://{bucket}/data")
    assert "PRE cats/" in aws("ls", f"s3://{bucket}/data/")
    assert aws("sync", tmp_path / "data", f"s3://{bucket}/data") == ""
    aws("cp", "--recursive", f"s3://{bucket}/data", tmp_path / "back")
    assert (tmp_path / "back" / "cats" / "1.jpg").read_bytes() == b"cat"
    aws("rm", "--recursive", f"s3://{bucket}/data/cats")
    assert "cats" not in aws("ls", "--recursive", f"s3://{bucket}")
