import multiprocessing
import os
import signal

import numpy as np
import pytest

from sagehound.vision import backbones, image_cache
from sagehound.vision.dataset import Skipped, find_images
from sagehound.vision.image_cache import ImageCache, decoded
from sagehound.vision.inference import Description
from sagehound.vision.views import Middle, RandomCrop
from tests.vision.images import split_folders

CONFIG = {
    "input_size": [3, 32, 32],
    "interpolation": "bicubic",
    "mean": [0.5] * 3,
    "std": [0.5] * 3,
    "crop_pct": 0.875,
    "crop_mode": "center",
}
CROP = RandomCrop(Description(backbones.DEFAULT, ("a", "b"), CONFIG))
MIDDLE = Middle(CROP.description)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.setattr(image_cache, "CHUNK", 8)
    folder = split_folders(tmp_path / "data", train=7)
    (folder / "train" / "red" / "2.jpg").write_bytes(b"?")
    return find_images(folder, 1).train


def same(a, b) -> bool:
    return a == b if isinstance(a, Skipped) or isinstance(b, Skipped) else np.array_equal(a, b)


def assert_as_decoded(cached, photos, view=CROP) -> None:
    assert all(same(cached(place), decoded(photo, view)) for place, photo in enumerate(photos))


def read(folder, photos, view=CROP, threads=2, **limit):
    said: list[str] = []
    return ImageCache(folder, **limit).photos(photos, view, threads, said.append), said


@pytest.mark.parametrize("view", [CROP, MIDDLE])
def test_the_second_training_finds_what_the_first_decoded(photos, tmp_path, view):
    first, said = read(tmp_path / "cache", photos, view)
    assert said[0].startswith("Pixels of 21 photos: decoded 21 of them")
    assert_as_decoded(first, photos, view)
    second, said = read(tmp_path / "cache", photos, view)
    assert said == ["Pixels of 21 photos: found in the cache"]
    for photo in photos:
        photo.path.unlink()
    assert isinstance(second(16), Skipped)
    assert same(second(3), first(3))


def test_only_chunks_that_changed_are_decoded_again(photos, tmp_path):
    read(tmp_path / "cache", photos)
    photos[0].path.write_bytes(photos[1].path.read_bytes())
    again, said = read(tmp_path / "cache", photos)
    assert "decoded 8 of them" in said[0]
    assert_as_decoded(again, photos)


def test_other_views_are_other_entries(photos, tmp_path):
    read(tmp_path / "cache", photos, MIDDLE)
    _, said = read(tmp_path / "cache", photos, CROP)
    assert "decoded 21 of them" in said[0]


def test_a_damaged_file_is_made_anew_by_the_next_and_bypassed_by_who_is_at_it(photos, tmp_path):
    cached, said = read(tmp_path / "cache", photos)
    for file in (tmp_path / "cache").glob("*.pixels"):
        file.write_bytes(file.read_bytes()[:500])
    assert_as_decoded(cached, photos)
    assert sum("is damaged" in line for line in said) == 3
    again, said = read(tmp_path / "cache", photos)
    assert sum("is damaged" in line for line in said) == 3
    assert "decoded 21 of them" in said[-1]
    assert_as_decoded(again, photos)


def test_files_that_are_dropped_meanwhile_are_decoded(photos, tmp_path):
    cached, _ = read(tmp_path / "cache", photos)
    for file in (tmp_path / "cache").glob("*.pixels"):
        file.unlink()
    assert_as_decoded(cached, photos)


def test_what_does_not_fit_is_said_and_decoded_each_time(photos, tmp_path):
    cached, said = read(tmp_path / "cache", photos, threads=1, limit_bytes=100_000)
    left = [file.stat().st_size for file in (tmp_path / "cache").glob("*.pixels")]
    assert 0 < sum(left) <= 100_000
    assert "leaves out" in said[-1]
    assert_as_decoded(cached, photos)
    _, said = read(tmp_path / "cache", photos, threads=1, limit_bytes=100_000)
    assert said[0] == "Pixels of 21 photos: found in the cache"  # nothing is thrown out for the rest and back again


def test_a_folder_that_cannot_be_written_is_said_and_no_reason_to_stop(photos, tmp_path):
    (tmp_path / "file").write_text("in the way")
    cached, said = read(tmp_path / "file" / "cache", photos)
    assert len(said) == 2
    assert "not kept" in said[-1]
    assert_as_decoded(cached, photos)


def run(data, cache, said) -> None:
    """One training's photos, in a process of its own."""
    image_cache.CHUNK = 8
    lines: list[str] = []
    photos = find_images(data, 1).train
    cached = ImageCache(cache).photos(photos, CROP, 2, lines.append)
    assert_as_decoded(cached, photos)
    said.put(lines)


def started(tmp_path, said):
    process = multiprocessing.get_context("spawn").Process(target=run, args=(tmp_path / "data", tmp_path / "c", said))
    process.start()
    return process


def test_trainings_side_by_side_divide_the_photos(photos, tmp_path):
    said = multiprocessing.get_context("spawn").Queue()
    processes = [started(tmp_path, said) for _ in range(3)]
    lines = [line for _ in processes for line in said.get(timeout=120)]
    for process in processes:
        process.join()
    decoded_by = [int(line.split("decoded ")[1].split()[0]) for line in lines if "decoded " in line]
    assert sum(decoded_by) == len(photos)


def killed(cache) -> None:
    shared = ImageCache(cache)._shared

    def half(path) -> None:
        path.write_bytes(b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)

    with shared.claim(KEY, wait=True):
        shared.keep(KEY, half)


KEY = "0" * 64


def test_one_that_is_killed_while_writing_is_in_nobodys_way(photos, tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=killed, args=(tmp_path / "c",))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    shared = ImageCache(tmp_path / "c")._shared
    assert not shared.path(KEY).exists()
    with shared.claim(KEY, wait=False) as claimed:
        assert claimed
    cached, _ = read(tmp_path / "c", photos)
    assert_as_decoded(cached, photos)
