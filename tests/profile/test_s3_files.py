"""A profile is read from S3, as it grows."""

import boto3
import pytest

from sagehound.errors import InvalidInput, ObjectStoreError
from sagehound.keys import load_keys
from sagehound.objects.server import EmbeddedServer
from sagehound.profile.notebook.algorithm_metrics_reader import S3AlgorithmMetricsReader
from sagehound.profile.notebook.pandas_frame import PandasFrame
from sagehound.profile.notebook.system_metrics_reader import S3SystemMetricsReader
from sagehound.profile.profile import JobFacts
from sagehound.profile.profile_folder import ProfileFolder, read_profile
from sagehound.s3_files import S3Files
from sagehound.settings import Settings
from sagehound.testing.profile_files import write_profile
from sagehound.testing.recorded_profile import RecordedProfile

BUCKET = "profiled"
JOB = JobFacts(name="job")
RECORDED = RecordedProfile(steps=100, cores=2).profile


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("s3"))
    keys = load_keys(settings.home)
    server = EmbeddedServer(settings, keys)
    server.start()
    session = boto3.Session(keys.access_key, keys.secret_key, region_name="us-east-1")
    client = session.client("s3", endpoint_url=server.endpoint)
    client.create_bucket(Bucket=BUCKET)
    client.close()
    yield server.endpoint, keys
    server.stop()


@pytest.fixture
def s3(server, monkeypatch):
    endpoint, keys = server
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # Made by an earlier test, it would have other keys.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    client = boto3.client("s3")
    yield client
    client.close()


def upload(client, folder, prefix, part=1.0):
    for path in folder.rglob("*.json"):
        data = path.read_bytes()
        client.put_object(Bucket=BUCKET, Key=f"{prefix}/{path.relative_to(folder)}", Body=data[: int(len(data) * part)])


def test_a_prefix_is_read_as_a_folder_is(s3, tmp_path):
    output = write_profile(RECORDED, tmp_path)
    upload(s3, output, "job/profiler-output")
    place = f"s3://{BUCKET}/job/profiler-output"
    here, there = read_profile(output, JOB), read_profile(place, JOB)
    assert there == here and there.system.num_rows == RECORDED.system.num_rows
    assert len(S3SystemMetricsReader(place).get_events(0, 1e18)) == RECORDED.system.num_rows
    assert len(S3AlgorithmMetricsReader(place).get_events(0, 1e18)) == RECORDED.timeline.num_rows
    assert len(PandasFrame(place).get_all_framework_metrics()) == RECORDED.timeline.num_rows


def test_what_is_uploaded_anew_is_read_on(s3, tmp_path):
    output = write_profile(RECORDED, tmp_path)
    folder = ProfileFolder(f"s3://{BUCKET}/growing")
    assert folder.refresh() is False
    for part in (0.4, 1.0):
        upload(s3, output, "growing", part)
        assert folder.refresh() is True
    assert folder.refresh() is False
    assert folder.profile(JOB).system.num_rows == RECORDED.system.num_rows
    assert folder.profile(JOB).timeline.num_rows == RECORDED.timeline.num_rows


def test_nothing_there_is_empty(s3):
    assert read_profile(f"s3://{BUCKET}/nothing", JOB).system.num_rows == 0
    assert read_profile("s3://no-such-bucket-anywhere/nothing", JOB).system.num_rows == 0
    with pytest.raises(FileNotFoundError):
        S3Files(f"s3://{BUCKET}/nothing").read("file")


def test_no_s3_uri_is_told():
    with pytest.raises(InvalidInput, match="s3://bucket/prefix"):
        S3Files("s3:///prefix")


def test_a_store_that_cannot_be_reached_is_told(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ObjectStoreError, match="could not be read"):
        read_profile(f"s3://{BUCKET}/job", JOB)
