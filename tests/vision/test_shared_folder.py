import os

from sagehound.vision.shared_folder import SharedFolder


def kept(folder: SharedFolder, key: str, size: int) -> bool:
    whole = folder.keep(key, lambda path: path.write_bytes(b"x" * size) and None)
    folder.prune()
    return whole


def names(path) -> list[str]:
    return sorted(file.name for file in path.iterdir())


def test_what_is_kept_is_there_whole_and_nothing_else_is(tmp_path):
    folder = SharedFolder(tmp_path / "new", 100, ".data")
    assert kept(folder, "a", 10)
    assert folder.path("a").read_bytes() == b"x" * 10
    assert names(tmp_path / "new") == ["a.data"]


def test_the_oldest_go_first_and_what_is_wanted_is_not_old(tmp_path):
    folder = SharedFolder(tmp_path, 25, ".data")
    for age, key in enumerate(("c", "b", "a")):
        kept(folder, key, 8)
        os.utime(folder.path(key), (1000 - age, 1000 - age))
    folder.touch("a")
    kept(folder, "d", 8)
    assert names(tmp_path) == ["a.data", "c.data", "d.data"]


def test_a_write_that_fails_leaves_nothing_and_is_told(tmp_path):
    folder = SharedFolder(tmp_path, 100, ".data")

    def full(path) -> None:
        path.write_bytes(b"x")
        raise OSError(28, "No space left on device")

    assert not folder.keep("a", full)
    assert "No space left" in str(folder.trouble)
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_no_reason_to_stop(tmp_path):
    (tmp_path / "file").write_text("in the way")
    folder = SharedFolder(tmp_path / "file" / "cache", 100, ".data")
    with folder.claim("a", wait=True) as claimed:
        assert claimed
        assert not kept(folder, "a", 1)
    assert folder.trouble is not None


def test_one_holds_a_key_at_a_time(tmp_path):
    ours, theirs = (SharedFolder(tmp_path, 100, ".data") for _ in range(2))
    with ours.claim("a", wait=True) as claimed, theirs.claim("a", wait=False) as also:
        assert (claimed, also) == (True, False)
        with theirs.claim("b", wait=False) as other:
            assert other
    with theirs.claim("a", wait=False) as claimed:
        assert claimed


def test_what_a_killed_process_left_unfinished_goes_in_time(tmp_path):
    folder = SharedFolder(tmp_path, 100, ".data")
    for name, ago_s in (("old", 7200), ("young", 5)):
        (tmp_path / f"{name}.1.part").write_bytes(b"x")
        then = (tmp_path / f"{name}.1.part").stat().st_mtime - ago_s
        os.utime(tmp_path / f"{name}.1.part", (then, then))
    kept(folder, "a", 1)
    assert names(tmp_path) == ["a.data", "young.1.part"]
