"""What every `ObjectStore` must do. A test module subclasses the suite and gives it a store."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sagehound.errors import NotFound
from sagehound.names import S3Uri
from sagehound.objects.store import ObjectStore
from sagehound.objects.transfers import fetch_all, put_all


class ObjectStoreSuite:
    """Subclass it and define the fixtures `objects` (the store) and `bucket` (a bucket's name, not made yet)."""

    def store(self, objects: ObjectStore, tmp_path: Path, uri: S3Uri, data: bytes) -> None:
        path = tmp_path / "upload"
        path.write_bytes(data)
        objects.put(path, uri)

    def test_put_makes_the_bucket_and_read_gives_the_bytes(
        self, objects: ObjectStore, bucket: str, tmp_path: Path
    ) -> None:
        self.store(objects, tmp_path, S3Uri(bucket, "a/b.bin"), b"\x00\xffdata")
        assert objects.read(S3Uri(bucket, "a/b.bin")) == b"\x00\xffdata"

    def test_put_replaces(self, objects: ObjectStore, bucket: str, tmp_path: Path) -> None:
        for data in (b"first, and longer", b"second", b""):
            self.store(objects, tmp_path, S3Uri(bucket, "key"), data)
            assert objects.read(S3Uri(bucket, "key")) == data

    def test_list_is_by_prefix_and_in_the_order_of_whole_keys(
        self, objects: ObjectStore, bucket: str, tmp_path: Path
    ) -> None:
        for key in ("data/b", "data.txt", "data/a/1", "data/a.txt", "database/x", "other"):
            self.store(objects, tmp_path, S3Uri(bucket, key), key.encode())
        listed = list(objects.list(S3Uri(bucket, "data")))
        assert [info.key for info in listed] == ["data.txt", "data/a.txt", "data/a/1", "data/b", "database/x"]
        assert [info.size_bytes for info in listed] == [len(info.key) for info in listed]
        assert [info.key for info in objects.list(S3Uri(bucket, "data/a/"))] == ["data/a/1"]
        assert [info.key for info in objects.list(S3Uri(bucket, "data/a.t"))] == ["data/a.txt"]
        assert len(list(objects.list(S3Uri(bucket)))) == 6
        assert list(objects.list(S3Uri(bucket, "nothing/here"))) == []

    def test_keys_may_hold_blanks_signs_and_any_script(self, objects: ObjectStore, bucket: str, tmp_path: Path) -> None:
        keys = ["a b/c+d%20.txt", "größe/写真.jpg", "q?x=1&y#z"]
        for key in keys:
            self.store(objects, tmp_path, S3Uri(bucket, key), key.encode())
        assert sorted(info.key for info in objects.list(S3Uri(bucket))) == sorted(keys)
        assert all(objects.read(S3Uri(bucket, key)) == key.encode() for key in keys)

    def test_fetch_makes_the_folder_and_replaces(self, objects: ObjectStore, bucket: str, tmp_path: Path) -> None:
        self.store(objects, tmp_path, S3Uri(bucket, "key"), b"new")
        target = tmp_path / "deep" / "er" / "file"
        objects.fetch(S3Uri(bucket, "key"), target)
        objects.fetch(S3Uri(bucket, "key"), target)
        assert target.read_bytes() == b"new"
        assert [path.name for path in target.parent.iterdir()] == ["file"]

    def test_a_large_object_comes_back_whole(self, objects: ObjectStore, bucket: str, tmp_path: Path) -> None:
        data = bytes(range(256)) * 4096 * 40
        self.store(objects, tmp_path, S3Uri(bucket, "large"), data)
        objects.fetch(S3Uri(bucket, "large"), tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == data

    def test_what_is_missing_is_not_found_by_its_address(
        self, objects: ObjectStore, bucket: str, tmp_path: Path
    ) -> None:
        with pytest.raises(NotFound, match=f"s3://{bucket}/key"):
            objects.read(S3Uri(bucket, "key"))
        with pytest.raises(NotFound, match=bucket):
            list(objects.list(S3Uri(bucket, "key")))
        self.store(objects, tmp_path, S3Uri(bucket, "folder/key"), b"")
        for key in ("key", "folder", "folder/", "folder/key/more"):
            with pytest.raises(NotFound, match=f"s3://{bucket}/{key}"):
                objects.fetch(S3Uri(bucket, key), tmp_path / "target")
        assert not (tmp_path / "target").exists()

    def test_no_key_leaves_the_bucket(self, objects: ObjectStore, bucket: str, tmp_path: Path) -> None:
        self.store(objects, tmp_path, S3Uri(bucket, "key"), b"mine")
        self.store(objects, tmp_path, S3Uri(f"{bucket}-other", "key"), b"yours")
        assert objects.folder(S3Uri(bucket, f"../{bucket}-other")) is None
        assert list(objects.list(S3Uri(bucket, f"../{bucket}-other/"))) == []

    def test_many_objects_at_once(self, objects: ObjectStore, bucket: str, tmp_path: Path) -> None:
        for number in range(60):
            (tmp_path / f"{number}").write_bytes(bytes([number]) * number)
        put_all(objects, [(tmp_path / f"{number}", S3Uri(bucket, f"many/{number}")) for number in range(60)])
        seen: list[tuple[int, int]] = []
        listed = list(objects.list(S3Uri(bucket, "many/")))
        wanted = [(S3Uri(bucket, info.key), info.size_bytes, tmp_path / "back" / info.key) for info in listed]
        fetch_all(objects, wanted, lambda done, in_all: seen.append((done, in_all)))
        assert (tmp_path / "back" / "many" / "59").read_bytes() == bytes([59]) * 59
        assert len(listed) == 60 and max(seen) == (sum(range(60)), sum(range(60)))

    def test_any_thread_may_write_a_new_bucket(self, objects: ObjectStore, bucket: str, tmp_path: Path) -> None:
        files = [tmp_path / f"{number}" for number in range(8)]
        for path in files:
            path.write_text(path.name)
        threads = [threading.Thread(target=objects.put, args=(path, S3Uri(bucket, path.name))) for path in files]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(list(objects.list(S3Uri(bucket)))) == 8

    def test_a_folder_holds_exactly_the_objects_of_the_prefix(
        self, objects: ObjectStore, bucket: str, tmp_path: Path
    ) -> None:
        for key in ("data/a/1", "data/b", "database/x"):
            self.store(objects, tmp_path, S3Uri(bucket, key), b"")
        for prefix in ("", "data/", "data", "data/a", "dat", "data/b", "none/"):
            folder = objects.folder(S3Uri(bucket, prefix))
            if folder is not None:
                files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
                keys = {info.key for info in objects.list(S3Uri(bucket, prefix))}
                assert files == {key.removeprefix(prefix).lstrip("/") for key in keys}
