import pytest
import torch

from sagehound.vision import backbones
from sagehound.vision.dataset import Photos, find_images
from sagehound.vision.features import Progress, extract, joined
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
    one, three = (extract(network, read, threads, CPU, Progress(len(read), print)) for threads in (1, 3))
    assert torch.equal(one.rows, three.rows)
    assert one.rows.shape == (20, 1280)
    assert [skipped.path.name for skipped in one.skipped] == ["2.jpg"]
    assert one.labels.tolist() == three.labels.tolist() == [0] * 7 + [1] * 7 + [2] * 6


def test_parts_are_joined_in_their_order(backbone, photos):
    network, description = backbone
    whole, *parts = (
        extract(network, Photos(some, build_transform(description)), 1, CPU, Progress(len(some), print))
        for some in (photos, photos[:16], photos[16:])
    )
    assert torch.equal(joined(parts).rows, whole.rows)
    assert torch.equal(joined(parts).labels, whole.labels)
    assert joined(parts).skipped == whole.skipped
