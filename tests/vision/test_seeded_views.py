import random

import pytest
import torch
from PIL import Image

from sagehound.vision import backbones
from sagehound.vision.dataset import Photo, Skipped
from sagehound.vision.inference import build_transform, read_image
from sagehound.vision.seeded_views import MIRRORED, PLAIN, SeededView
from tests.vision.images import encoded, picture


@pytest.fixture(scope="module")
def view():
    _, description = backbones.create(backbones.DEFAULT, ("a", "b"), image_size=32)
    transform = build_transform(description)
    return lambda number: SeededView(number, transform, description.transform)


DATA = encoded(picture(size=(120, 100)))


def test_the_first_is_what_is_served_and_the_second_its_mirror_image(view):
    plain = view(PLAIN)
    served = plain.transform(read_image(DATA, plain.transform.least_side))
    assert torch.equal(plain.seen(DATA), served)
    assert torch.equal(view(MIRRORED).seen(DATA), served.flip(-1))


def test_others_are_random_parts_and_always_the_same(view):
    seen = [view(number).seen(DATA) for number in range(2, 6)]
    assert all(part.shape == (3, 32, 32) for part in seen)
    assert len({part.sum().item() for part in seen}) == 4
    random.seed(5)
    torch.manual_seed(5)
    assert all(torch.equal(part, view(number).seen(DATA)) for number, part in enumerate(seen, 2))


def test_two_photos_get_different_parts(view):
    plain = Image.new("RGB", (120, 100))
    plain.paste((255, 255, 255), (40, 30, 80, 70))
    first, second = (view(2).seen(encoded(plain, quality=quality)) for quality in (90, 95))
    assert (first - second).abs().max() > 0.5


def test_a_broken_photo_is_skipped_with_its_reason(view, tmp_path):
    for content in (b"?", None):
        path = tmp_path / "photo.jpg"
        path.write_bytes(content) if content else path.unlink()
        label, skipped = view(2).load(Photo(path, 7))
        assert label == 7
        assert isinstance(skipped, Skipped)
        assert skipped.path == path
