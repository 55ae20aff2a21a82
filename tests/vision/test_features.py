import pytest
import torch

from sagehound.errors import InvalidInput
from sagehound.vision import backbones
from sagehound.vision.dataset import Photos, find_images
from sagehound.vision.features import FeatureCache, extract, of_photos
from sagehound.vision.inference import build_transform
from tests.vision.images import split_folders

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def backbone():
    return backbones.create(backbones.DEFAULT, ("blue", "green", "red"), image_size=32)


@pytest.fixture
def photos(tmp_path):
    folder = split_folders(tmp_path / "data", train=7)
    (folder / "train" / "red" / "2.jpg").write_bytes(b"?")
    return find_images(folder, 1).train


def test_the_number_of_threads_does_not_change_a_bit(backbone, photos):
    network, description = backbone
    read = Photos(photos, build_transform(description))
    one, three = (extract(network, read, threads, CPU, print) for threads in (1, 3))
    assert torch.equal(one.rows, three.rows)
    assert one.rows.shape == (20, 1280)
    assert [skipped.path.name for skipped in one.skipped] == ["2.jpg"]
    assert one.labels.tolist() == three.labels.tolist() == [0] * 7 + [1] * 7 + [2] * 6


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
    first = cache.key(network, description, photos, CPU)
    _, larger = backbones.create(backbones.DEFAULT, description.classes, image_size=48)
    assert cache.key(network, larger, photos, CPU) != first
    assert cache.key(network, description, photos[1:], CPU) != first
    photos[0].path.write_bytes(photos[1].path.read_bytes())
    assert cache.key(network, description, photos, CPU) != first
    other, _ = backbones.create(backbones.DEFAULT, description.classes)
    photos_key = cache.key(network, description, photos, CPU)
    torch.nn.init.ones_(backbones.classifier(other).weight)
    assert cache.key(other, description, photos, CPU) == photos_key
    torch.nn.init.ones_(other.get_parameter("bn1.bias"))
    assert cache.key(other, description, photos, CPU) != photos_key


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
    (left,) = (tmp_path / "cache").iterdir()
    assert left.stem == cache.key(*backbone, photos[10:], CPU)


def test_no_readable_photo_at_all_is_refused(backbone, photos):
    for photo in photos:
        photo.path.write_bytes(b"?")
    with pytest.raises(InvalidInput, match=r"none of the 21 photos can be read; the first: .*0.jpg"):
        of_photos(*backbone, photos, None, CPU, print)
