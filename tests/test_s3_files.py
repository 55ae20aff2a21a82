import threading

import boto3
import pytest
import torch

from sagehound.debug.store.open import open_source
from sagehound.debug.store.places import END_OF_JOB, MANIFEST, manifest_file, tensor_file
from sagehound.debug.store.writer import FolderSink
from sagehound.errors import InvalidInput, MissingCollectionFiles, ObjectStoreError, TensorUnavailableForStep
from sagehound.keys import load_keys
from sagehound.objects.server import EmbeddedServer
from sagehound.s3_files import S3Files
from sagehound.settings import Settings
from sagehound.testing.tensor_source_suite import TensorSourceSuite
from tests.debug.store.examples import step
from tests.debug.store.test_original import DATA

BUCKET = "debugged"


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


def upload(client, folder, prefix):
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            client.put_object(Bucket=BUCKET, Key=f"{prefix}/{path.relative_to(folder)}", Body=path.read_bytes())


class TestOurs(TensorSourceSuite):
    @pytest.fixture
    def source(self, s3, tmp_path):
        sink = FolderSink(tmp_path)
        sink.write(step(0, {"w": torch.ones(2, 3), "large": torch.arange(100_000.0)}))
        sink.write(step(1, {"none": torch.zeros(0, 2)}, reductions={"g": {"min": 1.0}}))
        sink.close({})
        upload(s3, tmp_path, "ours/debug-output")
        return open_source(f"s3://{BUCKET}/ours/debug-output/")


class TestTheOriginals(TensorSourceSuite):
    @pytest.fixture
    def source(self, s3):
        upload(s3, DATA / "smdebug_reductions", "theirs")
        return open_source(f"s3://{BUCKET}/theirs")


def test_it_grows_with_the_prefix(s3, tmp_path):
    uri = f"s3://{BUCKET}/grows/debug-output"
    source = open_source(uri)
    assert not source.refresh()
    assert source.runs() == {}
    sink = FolderSink(tmp_path)
    sink.write(step(0))
    while not (tmp_path / manifest_file("worker_0", 0)).exists():
        threading.Event().wait(0.01)
    upload(s3, tmp_path, "grows/debug-output")
    assert source.refresh()
    before = len(source.steps("worker_0"))
    sink.write(step(1, {"w": torch.ones(3)}))
    sink.close({})
    upload(s3, tmp_path, "grows/debug-output")
    assert source.refresh()
    assert (before, [one.step for one in source.steps("worker_0")]) == (1, [0, 1])
    assert source.read("worker_0", 1, "w").tolist() == [1, 1, 1]
    assert not source.refresh()


def test_a_killed_job_ends_by_its_marker(s3, tmp_path):
    sink = FolderSink(tmp_path, workers=2)
    sink.write(step(0))
    sink.close({})
    upload(s3, tmp_path, "killed")
    source = open_source(f"s3://{BUCKET}/killed")
    source.refresh()
    assert not source.state().ended
    s3.put_object(Bucket=BUCKET, Key=f"killed/{END_OF_JOB}", Body=b"{}")
    assert source.refresh()
    assert source.state().ended


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(s3, tmp_path):
    FolderSink(tmp_path).close({})
    upload(s3, tmp_path, "job-10")
    source = open_source(f"s3://{BUCKET}/job-1")
    assert not source.refresh()


def test_a_removed_prefix_and_a_removed_file_are_named(s3, tmp_path):
    sink = FolderSink(tmp_path)
    for number in (0, 1):
        sink.write(step(number, {"w": torch.ones(3)}))
    sink.close({})
    upload(s3, tmp_path, "removed")
    source = open_source(f"s3://{BUCKET}/removed")
    source.refresh()
    s3.delete_object(Bucket=BUCKET, Key=f"removed/{tensor_file('worker_0', 0)}")
    with pytest.raises(TensorUnavailableForStep, match=tensor_file("worker_0", 0)):
        source.read("worker_0", 0, "w")
    for page in s3.list_objects_v2(Bucket=BUCKET, Prefix="removed/")["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=page["Key"])
    with pytest.raises(MissingCollectionFiles, match=f"s3://{BUCKET}/removed"):
        source.refresh()
    with pytest.raises(MissingCollectionFiles, match=f"s3://{BUCKET}/removed"):
        source.read("worker_0", 1, "w")


def test_a_cut_file_is_named(s3, tmp_path):
    sink = FolderSink(tmp_path)
    sink.write(step(0, {"w": torch.ones(100_000)}))
    sink.close({})
    upload(s3, tmp_path, "cut")
    whole = (tmp_path / tensor_file("worker_0", 0)).read_bytes()
    source = open_source(f"s3://{BUCKET}/cut")
    source.refresh()
    for kept in (0, 4, 50, 1000, 399_000):
        s3.put_object(Bucket=BUCKET, Key=f"cut/{tensor_file('worker_0', 0)}", Body=whole[:kept])
        fresh = open_source(f"s3://{BUCKET}/cut")
        fresh.refresh()
        with pytest.raises(InvalidInput, match=f"{tensor_file('worker_0', 0)} in s3://{BUCKET}/cut is damaged"):
            fresh.read("worker_0", 0, "w")


def test_a_bucket_that_is_not_there_yet_is_empty(s3):
    files = S3Files("s3://not-there-yet/prefix")
    assert files.sizes(f"{MANIFEST}/") == {}
    assert not files.exists()


def test_a_store_out_of_reach_is_named(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ObjectStoreError, match=f"s3://{BUCKET}/any"):
        open_source(f"s3://{BUCKET}/any").refresh()


def test_wrong_keys_are_named(s3, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(ObjectStoreError, match=f"s3://{BUCKET}/any"):
        open_source(f"s3://{BUCKET}/any").refresh()


@pytest.mark.parametrize("uri", ["s3://", "s3:///key"])
def test_what_is_no_uri_is_refused(uri):
    with pytest.raises(InvalidInput, match="s3://bucket/prefix"):
        open_source(uri)
