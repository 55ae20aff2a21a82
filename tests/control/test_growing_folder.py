import os
import threading
from pathlib import Path

import pytest

from sagehound.control.growing_folder import GrowingFolder
from sagehound.names import S3Uri
from sagehound.testing.folder_store import FolderStore

PLACE = S3Uri("bucket", "job/debug-output")
LATER_NS = 10**10


class CountingStore(FolderStore):
    """Notes the order in which objects are stored."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.stored: list[str] = []
        self._lock = threading.Lock()

    def put(self, path, uri):
        super().put(path, uri)
        with self._lock:
            self.stored.append(uri.key.removeprefix(f"{PLACE.key}/"))


@pytest.fixture
def objects(tmp_path):
    return CountingStore(tmp_path / "s3")


@pytest.fixture
def tensors(tmp_path):
    folder = tmp_path / "tensors"
    (folder / "manifest").mkdir(parents=True)
    (folder / "tensors" / "000").mkdir(parents=True)
    return folder


def growing(objects, tmp_path, *folders, **options):
    return GrowingFolder(objects, PLACE, folders, tmp_path, **options)


def save(folder, step):
    (folder / "tensors" / "000" / f"{step}.safetensors").write_text(str(step))
    with (folder / "manifest" / "0.jsonl").open("a") as manifest:
        manifest.write(f"{step}\n")


def test_a_manifest_comes_after_the_tensors_that_it_speaks_of(objects, tmp_path, tensors):
    kept = growing(objects, tmp_path, tensors)
    save(tensors, 1)
    assert kept.sync() == 2
    save(tensors, 2)
    assert (kept.sync(), kept.sync()) == (2, 0)
    assert objects.stored == [
        "tensors/000/1.safetensors",
        "manifest/0.jsonl",
        "tensors/000/2.safetensors",
        "manifest/0.jsonl",
    ]
    assert objects.read(PLACE / "manifest/0.jsonl") == b"1\n2\n"


def test_what_grows_during_a_sync_is_stored_as_it_was_at_its_begin(objects, tmp_path, tensors):
    save(tensors, 1)
    store_one = objects.put

    def put(path, uri):
        if uri.key.endswith("1.safetensors"):
            save(tensors, 2)
        store_one(path, uri)

    objects.put = put
    kept = growing(objects, tmp_path, tensors)
    kept.sync()
    assert objects.read(PLACE / "manifest/0.jsonl") == b"1\n"
    kept.sync()
    assert objects.read(PLACE / "manifest/0.jsonl") == b"1\n2\n"
    assert objects.read(PLACE / "tensors/000/2.safetensors") == b"2"


def test_drafts_are_left_until_they_have_their_name(objects, tmp_path, tensors):
    draft = tensors / "tensors" / "000" / "1.safetensors.part"
    draft.write_text("half")
    kept = growing(objects, tmp_path, tensors)
    assert kept.sync() == 0
    draft.rename(draft.with_suffix(""))
    assert kept.sync() == 1


def test_a_settled_folder_is_not_looked_into_and_a_change_is_seen(objects, tmp_path, tensors):
    save(tensors, 1)
    folder = tensors / "tensors" / "000"
    kept = growing(objects, tmp_path, tensors, clock_ns=lambda: folder.stat().st_mtime_ns + LATER_NS)
    kept.sync()
    before = folder.stat().st_mtime_ns
    (folder / "2.safetensors").write_text("2")
    os.utime(folder, ns=(before, before))
    assert kept.sync() == 0
    os.utime(folder)
    assert kept.sync() == 1
    assert objects.stored.count("tensors/000/1.safetensors") == 1


def test_a_restarted_service_stores_what_is_missing(objects, tmp_path, tensors):
    save(tensors, 1)
    growing(objects, tmp_path, tensors).sync()
    save(tensors, 2)
    objects.stored.clear()
    growing(objects, tmp_path, tensors).sync()
    assert objects.stored == ["tensors/000/2.safetensors", "manifest/0.jsonl"]


def test_hosts_share_a_prefix_and_a_folder_may_be_missing(objects, tmp_path, tensors):
    other = tmp_path / "other"
    kept = growing(objects, tmp_path, tensors, other, tmp_path / "none")
    other.mkdir()
    (other / "events").write_text("e")
    (other / "link").symlink_to("events")
    assert kept.sync(over=True) == 1
    assert objects.stored == ["events"]


def test_a_folder_that_rests_is_left_until_the_last_sync(objects, tmp_path, tensors):
    now = [tensors.stat().st_mtime_ns]
    kept = growing(objects, tmp_path, tensors, clock_ns=lambda: now[0], rest_ns=60 * 10**9)
    lines = tensors / "manifest" / "0.json"
    lines.write_text("1\n")
    assert kept.sync() == 1
    now[0] += 61 * 10**9
    assert kept.sync() == 0
    with lines.open("a") as file:
        file.write("2\n")
    assert kept.sync() == 0
    assert kept.sync(over=True) == 1
    assert objects.read(PLACE / "manifest/0.json") == b"1\n2\n"
