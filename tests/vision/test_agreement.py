import pytest
import torch

from sagehound.errors import InvalidInput
from sagehound.vision import agreement, backbones
from sagehound.vision.agreement import changed, compare, sample
from sagehound.vision.dataset import Photo, find_images
from sagehound.vision.frozen_backbone import FrozenBackbone
from sagehound.vision.inference import build_transform
from sagehound.vision.precision import Precision
from sagehound.vision.seeded_views import PLAIN, SeededView
from tests.vision.images import split_folders

CPU = torch.device("cpu")


def blobs(count: int, noise: float, width: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 4
    centres = torch.randn(4, width, generator=chance)
    return centres[labels] + noise * torch.randn(count, width, generator=chance), labels


def test_features_that_hardly_differ_change_hardly_anything():
    rows, labels = blobs(64, noise=1.0)
    wobble = torch.randn(rows.shape, generator=torch.Generator().manual_seed(1))
    assert changed(rows, rows, labels) == 0
    assert changed(rows, rows + 0.001 * wobble, labels) < 0.002
    assert changed(rows, rows + 10 * wobble, labels) > 0.01


def test_a_sample_is_spread_over_the_classes(tmp_path):
    photos = [Photo(tmp_path / str(place), place // 100) for place in range(1000)]
    assert {photo.label for photo in sample(photos)} == set(range(10))
    assert len(sample(photos)) == agreement.SAMPLE
    assert sample(photos[:3]) == photos[:3]


@pytest.fixture(scope="module")
def given():
    network, description = backbones.create(backbones.DEFAULT, ("blue", "green", "red"), image_size=32)
    both = [FrozenBackbone(network, description, CPU, precision, print) for precision in Precision]
    return [*both, SeededView(PLAIN, build_transform(description), description.transform)]


def test_both_precisions_are_timed_on_the_same_photos(given, tmp_path):
    photos = list(find_images(split_folders(tmp_path, train=8), 1).train)
    photos[3].path.write_bytes(b"?")
    found = compare(*given, photos)
    assert found.fp32_s > 0
    assert found.bf16_s > 0
    assert 0 <= found.changed < 0.2


def test_a_sample_that_can_not_be_read_is_refused(given, tmp_path):
    photos = [Photo(tmp_path / "none.jpg", 0)]
    with pytest.raises(InvalidInput, match="none of 1 photos can be read"):
        compare(*given, photos)
