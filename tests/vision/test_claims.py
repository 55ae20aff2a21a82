import multiprocessing
from pathlib import Path

import pytest

from sagehound.vision.claims import claim


def test_one_of_two_holds_it(tmp_path):
    with claim(tmp_path / "folder" / "lock") as first, claim(tmp_path / "folder" / "lock", wait=False) as second:
        assert (first, second) == (True, False)
    with claim(tmp_path / "folder" / "lock", wait=False) as third:
        assert third


def test_it_is_free_after_an_exception(tmp_path):
    with pytest.raises(KeyError), claim(tmp_path / "lock"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_the_claim_of_a_killed_process_ends(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, never = context.Event(), context.Event()
    holder = context.Process(target=hold_until, args=(tmp_path / "lock", held, never))
    holder.start()
    assert held.wait(60)
    with claim(tmp_path / "lock", wait=False) as claimed:
        assert not claimed
    holder.kill()
    holder.join()
    with claim(tmp_path / "lock", wait=True) as claimed:
        assert claimed


def hold_until(path: Path, held, never) -> None:
    with claim(path):
        held.set()
        never.wait()
