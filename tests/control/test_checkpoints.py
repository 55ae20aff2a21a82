from pathlib import Path

import pytest

from sagehound.control.checkpoints import Checkpoints
from sagehound.names import S3Uri
from sagehound.testing.folder_store import FolderStore


@pytest.fixture
def objects(tmp_path) -> FolderStore:
    return FolderStore(tmp_path / "s3")


def checkpoints(objects: FolderStore, *folders: Path) -> Checkpoints:
    for folder in folders:
        folder.mkdir(exist_ok=True)
    return Checkpoints(objects, "s3://bucket/run/ckpt", folders)


def test_what_is_new_or_changed_is_stored_once(objects, tmp_path):
    kept = checkpoints(objects, tmp_path / "a")
    (tmp_path / "a" / "deep").mkdir()
    (tmp_path / "a" / "deep" / "1.pt").write_text("one")
    assert (kept.sync(), kept.sync()) == (1, 0)
    (tmp_path / "a" / "deep" / "1.pt").write_text("another")
    assert kept.sync() == 1
    assert objects.read(S3Uri("bucket", "run/ckpt/deep/1.pt")) == b"another"


def test_an_earlier_jobs_checkpoints_come_to_every_host_and_are_not_stored_again(objects, tmp_path):
    before = checkpoints(objects, tmp_path / "a")
    (tmp_path / "a" / "1.pt").write_text("one")
    before.sync()
    after = checkpoints(objects, tmp_path / "b", tmp_path / "c")
    assert after.bring_down() == 1
    assert (tmp_path / "b" / "1.pt").read_text() == (tmp_path / "c" / "1.pt").read_text() == "one"
    assert after.sync() == 0


def test_nothing_there_yet(objects, tmp_path):
    assert checkpoints(objects, tmp_path / "a").bring_down() == 0


def test_a_neighbours_prefix_is_not_ours(objects, tmp_path):
    (tmp_path / "file").write_text("x")
    objects.put(tmp_path / "file", S3Uri("bucket", "run/ckpt-other/1.pt"))
    assert checkpoints(objects, tmp_path / "a").bring_down() == 0


def test_what_the_job_removes_stays_and_links_are_left_alone(objects, tmp_path):
    kept = checkpoints(objects, tmp_path / "a")
    (tmp_path / "a" / "1.pt").write_text("one")
    (tmp_path / "a" / "latest").symlink_to("1.pt")
    assert kept.sync() == 1
    (tmp_path / "a" / "1.pt").unlink()
    assert kept.sync() == 0
    assert objects.read(S3Uri("bucket", "run/ckpt/1.pt")) == b"one"
