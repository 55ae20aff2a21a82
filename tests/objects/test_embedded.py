import boto3
import pytest

from sagehound.errors import NotFound
from sagehound.keys import load_keys
from sagehound.names import S3Uri
from sagehound.objects.embedded import EmbeddedObjects
from sagehound.objects.s3 import S3Objects
from sagehound.testing.object_store_suite import ObjectStoreSuite


@pytest.fixture
def objects(server, server_home):
    return EmbeddedObjects(server_home / "s3", S3Objects(server.endpoint, "us-east-1", load_keys(server_home)))


class TestEmbedded(ObjectStoreSuite):
    def test_a_prefix_that_is_a_folder_needs_no_copy(self, objects, bucket, server_home, tmp_path):
        self.store(objects, tmp_path, S3Uri(bucket, "data/a"), b"1")
        assert objects.folder(S3Uri(bucket, "data")) == server_home / "s3" / bucket / "data"
        assert objects.folder(S3Uri(bucket, "data/")) == server_home / "s3" / bucket / "data"
        assert objects.folder(S3Uri(bucket)) == server_home / "s3" / bucket

    def test_a_prefix_that_several_folders_share_is_no_folder(self, objects, bucket, tmp_path):
        self.store(objects, tmp_path, S3Uri(bucket, "data/a"), b"1")
        self.store(objects, tmp_path, S3Uri(bucket, "data2/a"), b"1")
        assert objects.folder(S3Uri(bucket, "data")) is None
        assert objects.folder(S3Uri(bucket, "data/")) is not None

    def test_a_file_put_in_the_folder_by_hand_is_an_object(self, objects, bucket, server_home):
        (server_home / "s3" / bucket).mkdir()
        (server_home / "s3" / bucket / "photo.jpg").write_bytes(b"jpg")
        assert objects.read(S3Uri(bucket, "photo.jpg")) == b"jpg"
        assert [info.key for info in objects.list(S3Uri(bucket))] == ["photo.jpg"]

    def test_an_upload_is_seen_over_s3_and_in_the_folder_at_once(self, objects, bucket, server, server_home, tmp_path):
        self.store(objects, tmp_path, S3Uri(bucket, "key"), b"x" * 20_000_000)
        assert (server_home / "s3" / bucket / "key").stat().st_size == 20_000_000
        keys = load_keys(server_home)
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
        )
        assert client.head_object(Bucket=bucket, Key="key")["ContentLength"] == 20_000_000

    def test_a_link_out_of_the_store_is_no_object(self, objects, bucket, server_home, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("secret")
        (server_home / "s3" / bucket).mkdir()
        (server_home / "s3" / bucket / "link").symlink_to(secret)
        (server_home / "s3" / bucket / "folder").symlink_to(tmp_path)
        assert list(objects.list(S3Uri(bucket))) == []
        assert objects.folder(S3Uri(bucket, "folder/")) is None
        with pytest.raises(NotFound, match="symbolic link"):
            objects.read(S3Uri(bucket, "link"))
