"""A folder's photos in S3: those of the folder, and no others."""

import os

import pytest

from sagehound.cli.upload import upload
from sagehound.errors import NotFound


class _S3:
    def __init__(self):
        self.objects = {}

    def put_object(self, Bucket, Key, Body):  # noqa: N803
        self.objects[f"s3://{Bucket}/{Key}"] = Body


@pytest.fixture
def s3(monkeypatch):
    s3 = _S3()
    monkeypatch.setattr("boto3.client", lambda *_, **__: s3)
    return s3


def _folder(place, **photos):
    for name, content in photos.items():
        path = place / "photos" / name / "1.jpg"
        path.parent.mkdir(parents=True)
        path.write_text(content)
        os.utime(path, ns=(1, 1))
    return place / "photos"


def test_every_file_is_there_by_its_name(s3, tmp_path):
    address, count = upload(_folder(tmp_path, cat="c", dog="dd"), "bucket")
    assert count == 2
    assert address.startswith("s3://bucket/datasets/photos-")
    assert s3.objects == {f"{address}/cat/1.jpg": b"c", f"{address}/dog/1.jpg": b"dd"}


def test_the_same_files_have_the_same_address(s3, tmp_path):
    folder = _folder(tmp_path, cat="c")
    assert upload(folder, "bucket") == upload(folder, "bucket")


def test_another_folder_of_that_name_finds_no_photos_of_the_first(s3, tmp_path):
    (tmp_path / "other").mkdir()
    first, _ = upload(_folder(tmp_path, cat="c"), "bucket")
    second, _ = upload(_folder(tmp_path / "other", dog="c"), "bucket")
    assert first != second
    assert not any(name.startswith(f"{second}/cat") for name in s3.objects)


def test_a_photo_that_was_changed_is_another_address(s3, tmp_path):
    folder = _folder(tmp_path, cat="c")
    first, _ = upload(folder, "bucket")
    (folder / "cat" / "1.jpg").write_text("C")
    assert upload(folder, "bucket")[0] != first


def test_a_folder_without_files_is_refused(s3, tmp_path):
    with pytest.raises(NotFound, match="has no files"):
        upload(tmp_path, "bucket")
