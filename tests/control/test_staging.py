import json
import threading
from pathlib import Path

import pytest

from sagehound.control.patience import Interrupted
from sagehound.control.staging import Staging
from sagehound.errors import JobFailure, ObjectStoreError
from sagehound.objects.embedded import EmbeddedObjects
from sagehound.objects.s3 import S3Objects
from sagehound.records.training import Channel, TrainingSpec
from sagehound.testing.folder_store import FolderStore

HOSTS = ("algo-1", "algo-2")


@pytest.fixture
def bucket(tmp_path) -> Path:
    bucket = tmp_path / "s3" / "photos"
    bucket.mkdir(parents=True)
    return bucket


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture(params=["embedded", "remote"])
def staging(request, bucket, tmp_path, said) -> Staging:
    root = bucket.parent
    remote = S3Objects("http://127.0.0.1:1", "us-east-1")
    objects = EmbeddedObjects(root, remote) if request.param == "embedded" else FolderStore(root, shows_folders=False)
    (tmp_path / "staged").mkdir()
    return Staging(objects, tmp_path / "staged", threading.Event(), said.append, ())


def put(bucket: Path, *keys: str) -> None:
    for key in keys:
        (bucket / key).parent.mkdir(parents=True, exist_ok=True)
        (bucket / key).write_text(key)


def spec(*channels: Channel, **more) -> TrainingSpec:
    return TrainingSpec(output_uri="s3://photos/out", instance_type="ml.m5.large", channels=channels, **more)


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def staged(staging: Staging, uri: str, **more) -> dict[str, str]:
    """The files of one channel on the first host, by path."""
    folders = staging.channels(spec(Channel(name="train", uri=uri, **more)), HOSTS)
    return files(folders["algo-1"]["train"])


@pytest.mark.parametrize("uri", ["s3://photos/data", "s3://photos/data/"])
def test_a_folder_shows_its_content(staging, bucket, uri):
    put(bucket, "data/a.jpg", "data/deep/b.jpg", "other/c.jpg")
    assert staged(staging, uri) == {"a.jpg": "data/a.jpg", "deep/b.jpg": "data/deep/b.jpg"}


def test_a_whole_bucket(staging, bucket):
    put(bucket, "a", "b/c")
    assert staged(staging, "s3://photos") == {"a": "a", "b/c": "b/c"}


def test_a_prefix_of_several_names_shows_them_whole(staging, bucket):
    put(bucket, "set/data/a", "set/database/b", "set/data.csv", "set/other")
    assert set(staged(staging, "s3://photos/set/data")) == {"a", "database/b", "data.csv"}


def test_a_single_object(staging, bucket):
    put(bucket, "set/data.csv")
    assert staged(staging, "s3://photos/set/data.csv") == {"data.csv": "set/data.csv"}


def test_a_manifest(staging, bucket):
    put(bucket, "set/a.jpg", "set/b/c.jpg", "set/d.jpg")
    (bucket / "list.manifest").write_text(json.dumps([{"prefix": "s3://photos/set/"}, "b/c.jpg", "a.jpg"]))
    found = staged(staging, "s3://photos/list.manifest", data_type="ManifestFile")
    assert found == {"a.jpg": "set/a.jpg", "b/c.jpg": "set/b/c.jpg"}


@pytest.mark.parametrize(
    "text", ["no json", "[]", '["a"]', '[{"prefix": "http://x"}]', '[{"prefix": "s3://photos/"}, 1]']
)
def test_a_manifest_that_is_none_fails_by_address(staging, bucket, text):
    (bucket / "list").write_text(text)
    with pytest.raises(JobFailure, match=r"s3://photos/list .*cannot be read"):
        staged(staging, "s3://photos/list", data_type="ManifestFile")


def test_a_manifest_that_names_what_is_not_there(staging, bucket):
    put(bucket, "set/a")
    (bucket / "list").write_text('[{"prefix": "s3://photos/set/"}, "b"]')
    with pytest.raises(JobFailure, match="s3://photos/set/b"):
        staged(staging, "s3://photos/list", data_type="ManifestFile")


def test_a_manifest_does_not_lead_out_of_the_channel(staging, bucket):
    put(bucket, "set/a", "key")
    (bucket / "list").write_text('[{"prefix": "s3://photos/set/"}, "../key"]')
    with pytest.raises(JobFailure):
        staged(staging, "s3://photos/list", data_type="ManifestFile")


def test_shards_divide_the_keys_between_the_hosts(staging, bucket):
    put(bucket, *(f"data/{number}" for number in range(5)))
    folders = staging.channels(
        spec(Channel(name="train", uri="s3://photos/data", distribution="ShardedByS3Key")), HOSTS
    )
    assert sorted(files(folders["algo-1"]["train"])) == ["0", "2", "4"]
    assert sorted(files(folders["algo-2"]["train"])) == ["1", "3"]


@pytest.mark.parametrize("uri", ["s3://photos/none", "s3://photos/none/", "s3://other-bucket/data"])
def test_missing_data_is_told_in_the_words_of_aws(staging, uri):
    with pytest.raises(JobFailure, match=f'No S3 objects found under S3 URL "{uri}" given in input data source'):
        staged(staging, uri)


def test_an_empty_folder_is_missing_data(staging, bucket):
    (bucket / "data" / "deep").mkdir(parents=True)
    with pytest.raises(JobFailure, match="No S3 objects found"):
        staged(staging, "s3://photos/data")


def test_an_address_that_is_none_fails_the_job(staging):
    with pytest.raises(JobFailure, match="is not an S3 address"):
        staged(staging, "photos/data")


def test_the_code_archive(staging, bucket, tmp_path):
    put(bucket, "code/sourcedir.tar.gz")
    uri = "s3://photos/code/sourcedir.tar.gz"
    for text in (json.dumps(uri), uri):
        found = staging.code(spec(hyperparameters={"sagemaker_submit_directory": text}))
        assert found.read_text() == "code/sourcedir.tar.gz"
    assert staging.code(spec()) is None
    assert staging.code(spec(environment={"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/code"})) is None


def test_code_that_is_missing_is_named(staging):
    with pytest.raises(JobFailure, match=r"s3://photos/none\.tar\.gz .*does not exist"):
        staging.code(spec(hyperparameters={"sagemaker_submit_directory": "s3://photos/none.tar.gz"}))


def test_a_folder_of_the_embedded_store_is_not_copied(bucket, tmp_path, said):
    put(bucket, "data/a")
    objects = EmbeddedObjects(bucket.parent, S3Objects("http://127.0.0.1:1", "us-east-1"))
    staging = Staging(objects, tmp_path / "staged", threading.Event(), said.append, ())
    folders = staging.channels(spec(Channel(name="train", uri="s3://photos/data", mode="FastFile")), HOSTS)
    assert {folders[host]["train"] for host in HOSTS} == {bucket / "data"}
    assert said == []


def test_a_download_tells_of_its_progress_and_stops_when_asked(bucket, tmp_path, said):
    put(bucket, *(f"data/{number:03d}" for number in range(100)))
    stop = threading.Event()
    (tmp_path / "staged").mkdir()
    remote = FolderStore(bucket.parent, shows_folders=False)
    staging = Staging(remote, tmp_path / "staged", stop, said.append, ())
    staged(staging, "s3://photos/data")
    assert said[0] == "Downloading channel train: 100 objects from s3://photos/data"
    assert said[-1].startswith("Downloading channel train: 100 %") and 3 <= len(said) <= 11
    stop.set()
    with pytest.raises(Interrupted):
        staged(staging, "s3://photos/data")


class Away(FolderStore):
    """A store out of reach."""

    def list(self, prefix):
        raise ObjectStoreError(f"{prefix}: out of reach")


def test_a_store_out_of_reach_fails_the_job_after_its_tries(bucket, tmp_path, said):
    staging = Staging(Away(bucket.parent, False), tmp_path, threading.Event(), said.append, (0, 0))
    with pytest.raises(JobFailure, match="failed 3 times"):
        staged(staging, "s3://photos/data")


def test_a_full_disk_says_what_is_needed(bucket, tmp_path, said):
    put(bucket, "data/a")
    with (bucket / "data" / "huge").open("wb") as file:
        file.truncate(2**43)
    staging = Staging(FolderStore(bucket.parent, False), tmp_path, threading.Event(), said.append, ())
    with pytest.raises(JobFailure, match=r"channel train .*needs \d+ MB and \d+ MB are free"):
        staged(staging, "s3://photos/data")
