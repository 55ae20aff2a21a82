import pytest
import torch

from sagehound.vision import backbones
from sagehound.vision.dataset import find_images
from sagehound.vision.features import Progress, extract, joined
from sagehound.vision.frozen_backbone import FrozenBackbone
from sagehound.vision.inference import build_transform
from sagehound.vision.precision import Precision
from sagehound.vision.seeded_views import PLAIN, SeededView
from tests.vision.images import split_folders

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def given():
    network, description = backbones.create(backbones.DEFAULT, ("blue", "green", "red"), image_size=32)
    backbone = FrozenBackbone(network, description, CPU, Precision.FP32, print)
    return backbone, SeededView(PLAIN, build_transform(description), description.transform)


@pytest.fixture
def photos(tmp_path):
    folder = split_folders(tmp_path / "data", train=7)
    (folder / "train" / "red" / "2.jpg").write_bytes(b"?")
    return find_images(folder, 1).train


def test_rows_labels_and_what_was_left_out(given, photos):
    progress = Progress(len(photos), print)
    made = extract(*given, photos, progress)
    assert made.rows.shape == (20, 1280)
    assert [skipped.path.name for skipped in made.skipped] == ["2.jpg"]
    assert made.labels.tolist() == [0] * 7 + [1] * 7 + [2] * 6
    assert progress.computed == 21


def test_parts_are_joined_in_their_order(given, photos):
    whole, *parts = (extract(*given, some, Progress(len(some), print)) for some in (photos, photos[:16], photos[16:]))
    assert torch.equal(joined(parts).rows, whole.rows)
    assert torch.equal(joined(parts).labels, whole.labels)
    assert joined(parts).skipped == whole.skipped
