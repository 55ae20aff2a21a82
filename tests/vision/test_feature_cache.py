import multiprocessing

import pytest
import torch

from sagehound.errors import InvalidInput
from sagehound.vision import backbones, feature_cache
from sagehound.vision.dataset import find_images
from sagehound.vision.feature_cache import FeatureCache, of_photos
from tests.vision.images import split_folders

CPU = torch.device("cpu")
CLASSES = ("blue", "green", "red")


@pytest.fixture(scope="module")
def backbone():
    return backbones.create(backbones.DEFAULT, CLASSES, image_size=32)


@pytest.fixture
def photos(tmp_path):
    folder = split_folders(tmp_path / "data", train=7)
    (folder / "train" / "red" / "2.jpg").write_bytes(b"?")
    return find_images(folder, 1).train


def test_the_second_run_finds_the_features_of_the_first(backbone, photos, tmp_path):
    said: list[str] = []
    first, second = (of_photos(*backbone, photos, FeatureCache(tmp_path / "cache"), CPU, said.append) for _ in range(2))
    assert "computed" in said[0]
    assert "found in the cache" in said[1]
    assert torch.equal(first.rows, second.rows)
    assert torch.equal(first.labels, second.labels)
    assert first.skipped == second.skipped


def test_whatever_changes_the_features_changes_the_key(backbone, photos, tmp_path):
    network, description = backbone
    cache = FeatureCache(tmp_path)
    first = cache.key(cache.setting(network, description, CPU), photos)
    _, larger = backbones.create(backbones.DEFAULT, description.classes, image_size=48)
    assert cache.key(cache.setting(network, larger, CPU), photos) != first
    assert cache.key(cache.setting(network, description, CPU), photos[1:]) != first
    photos[0].path.write_bytes(photos[1].path.read_bytes())
    assert cache.key(cache.setting(network, description, CPU), photos) != first
    other, _ = backbones.create(backbones.DEFAULT, description.classes)
    photos_key = cache.key(cache.setting(network, description, CPU), photos)
    torch.nn.init.ones_(backbones.classifier(other).weight)
    assert cache.key(cache.setting(other, description, CPU), photos) == photos_key
    torch.nn.init.ones_(other.get_parameter("bn1.bias"))
    assert cache.key(cache.setting(other, description, CPU), photos) != photos_key


def test_a_damaged_file_is_computed_anew(backbone, photos, tmp_path):
    first = of_photos(*backbone, photos, FeatureCache(tmp_path), CPU, print)
    (file,) = tmp_path.glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:100])
    assert torch.equal(of_photos(*backbone, photos, FeatureCache(tmp_path), CPU, print).rows, first.rows)
    assert FeatureCache(tmp_path).read(file.stem, photos) is not None


def test_a_folder_that_can_not_be_written_is_said_and_no_reason_to_stop(backbone, photos, tmp_path):
    (tmp_path / "file").write_text("in the way")
    said: list[str] = []
    of_photos(*backbone, photos, FeatureCache(tmp_path / "file" / "cache"), CPU, said.append)
    assert "not kept for the next run" in said[-1]


def test_the_oldest_go_when_the_folder_is_full(backbone, photos, tmp_path):
    cache = FeatureCache(tmp_path / "cache", limit_bytes=60_000)
    of_photos(*backbone, photos[:10], cache, CPU, print)
    of_photos(*backbone, photos[10:], cache, CPU, print)
    (left,) = (tmp_path / "cache").glob("*.safetensors")
    assert left.stem == cache.key(cache.setting(*backbone, CPU), photos[10:])


def test_no_readable_photo_at_all_is_refused(backbone, photos):
    for photo in photos:
        photo.path.write_bytes(b"?")
    with pytest.raises(InvalidInput, match=r"none of the 21 photos can be read; the first: .*0.jpg"):
        of_photos(*backbone, photos, None, CPU, print)


def run(data, cache, chunk, said):
    """One training's features, in a process of its own."""
    torch.set_num_threads(1)
    feature_cache.CHUNK = chunk
    lines: list[str] = []
    network, description = backbones.create(backbones.DEFAULT, CLASSES, image_size=32)
    made = of_photos(network, description, find_images(data, 1).train, FeatureCache(cache), CPU, lines.append)
    said.put((lines, made.rows.numpy(), made.labels.tolist()))


def test_runs_side_by_side_divide_the_photos(backbone, photos, tmp_path):
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


def test_what_another_run_is_at_is_left_to_it(backbone, photos, tmp_path):
    cache = FeatureCache(tmp_path / "cache")
    key = cache.key(cache.setting(*backbone, CPU), photos)
    with cache._claim(key, wait=False) as claimed:
        assert claimed
        assert FeatureCache(tmp_path / "cache").obtain(key, photos, pytest.fail, wait=False) is None
