import hashlib
import os
import time
from pathlib import Path

import pytest

from sagehound.vision.contents import Contents


@pytest.fixture
def photo(tmp_path):
    return written(tmp_path / "photo.jpg", b"content")


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def later() -> float:
    """A clock by which what was written now has settled."""
    return 4_000_000_000


def sha(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def read_again(photo: Path, index: Path, say=print, now=later) -> bytes:
    contents = Contents(index, say, now)
    found = contents.digest(photo)
    contents.remember()
    return found


def test_what_was_read_once_is_not_read_again(photo, tmp_path, monkeypatch):
    index = tmp_path / "folder" / "index"
    assert read_again(photo, index) == sha(b"content")
    monkeypatch.setattr(Path, "read_bytes", pytest.fail)
    assert read_again(photo, index) == sha(b"content")
    other = tmp_path / "another name.jpg"
    other.symlink_to(photo)
    assert read_again(other, index) == sha(b"content")


def test_a_changed_file_is_read_again(photo, tmp_path):
    index = tmp_path / "index"
    read_again(photo, index)
    before = photo.stat()
    photo.write_bytes(b"CONTENT")
    os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read_again(photo, index) == sha(b"CONTENT")


def test_a_file_that_was_only_just_written_is_not_trusted(photo, tmp_path):
    index = tmp_path / "index"
    read_again(photo, index, now=time.time)
    assert not index.exists()


def test_two_processes_add_to_one_index(photo, tmp_path):
    index = tmp_path / "index"
    other = written(tmp_path / "other.jpg", b"other")
    one, two = Contents(index, print, later), Contents(index, print, later)
    one.digest(photo)
    two.digest(other)
    one.remember()
    two.remember()
    assert len(index.read_text().splitlines()) == 3


@pytest.mark.parametrize("damage", [b"", b"\xff", b"sagehound contents 0 x\n", b"cut"])
def test_a_damaged_index_is_begun_anew(photo, tmp_path, damage):
    index = tmp_path / "index"
    read_again(photo, index)
    whole = index.read_bytes()
    index.write_bytes(whole[:-5] if damage == b"cut" else damage)
    said: list[str] = []
    assert read_again(photo, index, said.append) == sha(b"content")
    assert len(said) == 1
    assert index.read_bytes() == whole


def test_a_file_that_can_not_be_read_has_a_digest_too(tmp_path):
    assert len(Contents(None, print).digest(tmp_path / "none.jpg")) == 32


def test_without_an_index_nothing_is_written(photo, tmp_path):
    contents = Contents(None, print, later)
    assert contents.digest(photo) == sha(b"content")
    contents.remember()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.jpg"]
