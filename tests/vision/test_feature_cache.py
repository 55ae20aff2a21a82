import multiprocessing
import os
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

from sagehound.errors import InvalidInput
from sagehound.vision import backbones, feature_cache
from sagehound.vision.dataset import find_images
from sagehound.vision.feature_cache import FeatureCache, of_photos
from sagehound.vision.frozen_backbone import FrozenBackbone
from sagehound.vision.inference import build_transform
from sagehound.vision.precision import Precision
from sagehound.vision.seeded_views import SeededView
from sagehound.vision.shared_folder import SharedFolder
from tests.vision.images import split_folders

CPU = torch.device("cpu")
CLASSES = ("blue", "green", "red")


def made(number: int = 0) -> tuple[FrozenBackbone, SeededView]:
    network, description = backbones.create(backbones.DEFAULT, CLASSES, image_size=32)
    backbone = FrozenBackbone(network, description, CPU, Precision.FP32, print)
    return backbone, SeededView(number, build_transform(description), description.transform)


@pytest.fixture(scope="module")
def given():
    return made()


@pytest.fixture
def photos(tmp_path):
    folder = split_folders(tmp_path / "data", train=7)
    (folder / "train" / "red" / "2.jpg").write_bytes(b"?")
    return find_images(folder, 1).train


def cached(given, photos, folder, say=print, **options):
    return of_photos(*given, photos, FeatureCache(folder, say, **options), say)


def test_the_second_run_finds_the_features_of_the_first(given, photos, tmp_path):
    said: list[str] = []
    first, second = (cached(given, photos, tmp_path / "cache", said.append) for _ in range(2))
    assert "computed" in said[0]
    assert "found in the cache" in said[1]
    assert torch.equal(first.rows, second.rows)
    assert torch.equal(first.labels, second.labels)
    assert first.skipped == second.skipped


def test_the_number_of_threads_and_the_cache_do_not_change_a_bit(given, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(feature_cache, "CHUNK", 4)
    before = torch.get_num_threads()
    results = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        results += [of_photos(*given, photos, None, print), cached(given, photos, tmp_path / str(threads))]
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert all(torch.equal(result.rows, results[0].rows) for result in results)


def test_views_photos_and_settings_have_keys_of_their_own(given, photos, tmp_path):
    cache = FeatureCache(tmp_path, print)
    keys = {
        cache.key(b"setting", 0, photos),
        cache.key(b"setting", 1, photos),
        cache.key(b"other", 0, photos),
        cache.key(b"setting", 0, photos[1:]),
    }
    photos[0].path.write_bytes(photos[1].path.read_bytes())
    assert len(keys | {cache.key(b"setting", 0, photos)}) == 5


def damage(file, how):
    rows = load_file(file)["rows"]
    if how == "cut":
        file.write_bytes(file.read_bytes()[:100])
    elif how == "another version":
        save_file({"rows": rows}, file, {"skipped": "{}"})
    else:
        content = bytearray(file.read_bytes())
        content[-5] ^= 64
        file.write_bytes(content)


@pytest.mark.parametrize("how", ["cut", "another version", "a bit is other"])
def test_a_damaged_file_is_said_and_computed_anew(given, photos, tmp_path, how):
    first = cached(given, photos, tmp_path)
    (file,) = tmp_path.glob("*.safetensors")
    damage(file, how)
    said: list[str] = []
    assert torch.equal(cached(given, photos, tmp_path, said.append).rows, first.rows)
    assert ["is damaged" in line for line in said].count(True) == 1
    assert FeatureCache(tmp_path, pytest.fail).read(file.stem, photos) is not None


def test_a_folder_that_can_not_be_written_is_said_and_no_reason_to_stop(given, photos, tmp_path):
    (tmp_path / "file").write_text("in the way")
    said: list[str] = []
    cached(given, photos, tmp_path / "file" / "cache", said.append)
    assert "not kept for the next run" in said[-1]


def test_why_nothing_is_kept_is_said_once_a_training(given, photos, tmp_path):
    (tmp_path / "file").write_text("in the way")
    said: list[str] = []
    cache = FeatureCache(tmp_path / "file" / "cache", said.append)
    for _ in range(3):
        of_photos(*given, photos, cache, said.append)
    assert sum("not kept for the next run" in line for line in said) == 1


def test_a_full_disk_is_said_and_no_reason_to_stop(given, photos, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(feature_cache, "save_file", full)
    said: list[str] = []
    assert len(cached(given, photos, tmp_path, said.append).rows) == 20
    assert "No space left on device" in said[-1]
    assert list(tmp_path.glob("*.part")) == []


def test_those_not_used_for_longest_go_when_the_folder_is_full(given, photos, tmp_path):
    for part in (photos[:7], photos[7:14]):
        cached(given, part, tmp_path / "cache")
    first, second = sorted((tmp_path / "cache").glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
    os.utime(second, (1, 1))
    os.utime(first, (2, 2))
    cached(given, photos[:7], tmp_path / "cache")  # is used again
    cached(given, photos[14:], tmp_path / "cache", limit_bytes=80_000)
    left = set((tmp_path / "cache").glob("*.safetensors"))
    assert first in left
    assert second not in left
    assert len(left) == 2


def test_what_a_killed_process_left_goes_after_a_while(given, photos, tmp_path):
    old, new = tmp_path / "a.1.part", tmp_path / "b.2.part"
    for path in (old, new):
        path.write_bytes(b"unfinished")
    os.utime(old, (time.time() - 7200,) * 2)
    cached(given, photos, tmp_path)
    assert (old.exists(), new.exists()) == (False, True)


def test_no_readable_photo_at_all_is_refused(given, photos):
    for photo in photos:
        photo.path.write_bytes(b"?")
    with pytest.raises(InvalidInput, match=r"none of the 21 photos can be read; the first: .*0.jpg"):
        of_photos(*given, photos, None, print)


def run(data, cache, chunk, said):
    """One training's features, in a process of its own."""
    torch.set_num_threads(1)
    feature_cache.CHUNK = chunk
    lines: list[str] = []
    found = cached(made(), find_images(data, 1).train, cache, lines.append)
    said.put((lines, found.rows.numpy(), found.labels.tolist()))


def test_runs_side_by_side_divide_the_photos(photos, tmp_path):
    context = multiprocessing.get_context("spawn")
    said = context.Queue()
    arguments = (tmp_path / "data", tmp_path / "cache", 1, said)
    runs = [context.Process(target=run, args=arguments) for _ in range(2)]
    for process in runs:
        process.start()
    results = [said.get(timeout=120) for _ in runs]
    for process in runs:
        process.join()
    assert all((rows == results[0][1]).all() and labels == results[0][2] for _, rows, labels in results)
    said_so = [line for lines, *_ in results for line in lines if "computed" in line]
    computed = sum(int(line.split("computed ")[1].split()[0]) for line in said_so)
    assert computed == len(photos)


def test_a_run_that_is_killed_leaves_the_next_what_it_had(given, photos, tmp_path):
    context = multiprocessing.get_context("spawn")
    cache = tmp_path / "cache"
    said = context.Queue()
    process = context.Process(target=run, args=(tmp_path / "data", cache, 1, said))
    process.start()
    deadline = time.monotonic() + 120
    while len(list(cache.glob("*.safetensors"))) < 3 and time.monotonic() < deadline:
        process.join(0.01)
    process.kill()
    process.join()
    assert len(list(cache.glob("*.safetensors"))) >= 3
    assert torch.equal(cached(given, photos, cache).rows, of_photos(*given, photos, None, print).rows)


def test_what_another_run_is_at_is_left_to_it(given, photos, tmp_path):
    with SharedFolder(tmp_path / "cache", 0, ".safetensors").claim("key", wait=False) as claimed:
        assert claimed
        assert FeatureCache(tmp_path / "cache", print).obtain("key", photos, pytest.fail, wait=False) is None
