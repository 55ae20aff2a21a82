import socket

import pytest

from sagehound.errors import ObjectStoreError
from sagehound.keys import Keys, load_keys
from sagehound.names import S3Uri
from sagehound.objects.s3 import S3Objects
from sagehound.objects.server import EmbeddedServer
from sagehound.settings import Settings
from sagehound.testing.object_store_suite import ObjectStoreSuite


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A second rclone with a home of its own: an S3 that the service does not own."""
    settings = Settings(home=tmp_path_factory.mktemp("foreign"))
    server = EmbeddedServer(settings, load_keys(settings.home))
    server.start()
    yield server.endpoint, load_keys(settings.home)
    server.stop()


class TestAnyS3ByUrl(ObjectStoreSuite):
    @pytest.fixture
    def objects(self, foreign):
        endpoint, keys = foreign
        return S3Objects(endpoint, "eu-west-1", keys)

    def test_it_has_no_folder(self, objects, bucket, tmp_path):
        self.store(objects, tmp_path, S3Uri(bucket, "data/a"), b"1")
        assert objects.folder(S3Uri(bucket, "data/")) is None

    def test_more_keys_than_a_page_holds(self, objects, bucket, foreign, tmp_path):
        self.store(objects, tmp_path, S3Uri(bucket, "many/first"), b"")
        folder = tmp_path.parent / "pages"
        folder.mkdir(exist_ok=True)
        for number in range(1, 1101):
            objects._client.put_object(Bucket=bucket, Key=f"pages/{number:04d}", Body=b"")
        listed = [info.key for info in objects.list(S3Uri(bucket, "pages/"))]
        assert listed == [f"pages/{number:04d}" for number in range(1, 1101)]

    def test_keys_may_come_from_the_environment(self, foreign, bucket, tmp_path, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", foreign[1].access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", foreign[1].secret_key)
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        self.store(S3Objects(foreign[0], "us-east-1"), tmp_path, S3Uri(bucket, "key"), b"")


def test_wrong_keys_are_refused_by_address(foreign, bucket):
    with pytest.raises(ObjectStoreError, match=f"s3://{bucket}/key"):
        S3Objects(foreign[0], "us-east-1", Keys("AKIAWRONG", "wrong")).read(S3Uri(bucket, "key"))


def test_a_store_out_of_reach_is_said_by_address(bucket, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        objects = S3Objects(f"http://127.0.0.1:{taken.getsockname()[1]}", "us-east-1", Keys("AKIA", "x"))
        with pytest.raises(ObjectStoreError, match=f"s3://{bucket}/key"):
            objects.fetch(S3Uri(bucket, "key"), tmp_path / "file")
        assert list(tmp_path.iterdir()) == []
