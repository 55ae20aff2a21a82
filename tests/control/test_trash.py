"""What is of no more use is out of the way at once, and removed."""

import os
import time

import pytest

from sagehound.control.trash import Trash


def _emptied(folder):
    until = time.monotonic() + 30
    while any(folder.iterdir()) and time.monotonic() < until:
        os.sched_yield()
    return not any(folder.iterdir())


@pytest.fixture
def used(tmp_path):
    (tmp_path / "job" / "model").mkdir(parents=True)
    (tmp_path / "job" / "model" / "weights").write_text("w")
    return tmp_path / "job"


def test_a_folder_is_gone_at_once_and_removed_soon(used, tmp_path):
    Trash(tmp_path / "trash").take(used)
    assert not used.exists()
    assert _emptied(tmp_path / "trash")


def test_what_is_not_there_is_no_trouble(tmp_path):
    Trash(tmp_path / "trash").take(tmp_path / "nothing")


def test_what_cannot_be_moved_is_removed_where_it_is(used, tmp_path):
    (tmp_path / "trash").write_text("a file")
    trash = Trash(tmp_path / "trash")
    trash.take(used)
    until = time.monotonic() + 30
    while used.exists() and time.monotonic() < until:
        os.sched_yield()
    assert not used.exists()


def test_what_a_killed_service_left_is_removed(used, tmp_path):
    used.rename(tmp_path / "trash")
    Trash(tmp_path / "trash").empty()
    assert _emptied(tmp_path / "trash")
