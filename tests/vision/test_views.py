import random

import numpy as np
import pytest
import torch
from PIL import Image

from sagehound.vision import backbones
from sagehound.vision.crops import random_box
from sagehound.vision.inference import Description, build_transform, normalised, resampled
from sagehound.vision.views import Middle, RandomCrop
from tests.vision.images import picture

CONFIG = {
    "input_size": [3, 32, 32],
    "interpolation": "bicubic",
    "mean": [0.4, 0.5, 0.6],
    "std": [0.2, 0.3, 0.4],
    "crop_pct": 0.875,
    "crop_mode": "center",
}
DESCRIPTION = Description(backbones.DEFAULT, ("a", "b"), CONFIG)
CHANCE = random.Random(0)


@pytest.mark.parametrize("changed", [{}, {"crop_mode": "squash"}, {"input_size": [3, 32, 48]}])
def test_the_middle_is_what_an_endpoint_sees_bit_for_bit(changed):
    description = Description(backbones.DEFAULT, ("a", "b"), CONFIG | changed)
    image = picture(size=(90, 70))
    view = Middle(description)
    seen = view.seen(view.kept(image), CHANCE)
    if seen.dtype == torch.uint8:
        seen = normalised(seen, description.transform)
    served = build_transform(description)
    assert torch.equal(seen, served(image))
    assert view.least_side == served.least_side


def test_a_random_crop_depends_on_its_chance_alone():
    view = RandomCrop(DESCRIPTION)
    kept = view.kept(picture(size=(90, 70)))
    first, again, other = (view.seen(kept, random.Random(seed)) for seed in ("1", "1", "2"))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert (first.shape, first.dtype) == ((3, 32, 32), torch.uint8)


@pytest.mark.parametrize("size", [(60, 50), (480, 360)])
def test_a_crop_has_the_pixels_that_torchvision_makes_of_it(size):
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.functional import pil_to_tensor, resized_crop

    photo = picture(size=(size[0] // 10, size[1] // 10)).resize(size, Image.Resampling.BICUBIC)
    kept = Image.fromarray(RandomCrop(DESCRIPTION).kept(photo))
    scale = kept.width / photo.width
    for seed in range(10):
        left, top, right, bottom = (round(edge) for edge in random_box(size, random.Random(seed)))
        ours = resampled(kept, tuple(edge * scale for edge in (left, top, right, bottom)), CONFIG)
        part = (top, left, bottom - top, right - left)
        theirs = pil_to_tensor(resized_crop(photo, *part, [32, 32], InterpolationMode.BICUBIC))
        assert float((ours.float() - theirs.float()).abs().mean()) < 1


def test_about_half_are_mirrored():
    left = np.zeros((64, 64, 3), np.uint8)
    left[:, :32] = 255
    view = RandomCrop(DESCRIPTION)
    seen = [view.seen(left, random.Random(seed)).float() for seed in range(200)]
    brighter_left = sum(float(one[:, :, :16].mean()) > float(one[:, :, 16:].mean()) for one in seen)
    assert 75 < brighter_left < 125


def test_large_photos_are_kept_no_larger_than_the_smallest_crop_needs():
    view = RandomCrop(DESCRIPTION)
    assert view.kept(picture(size=(640, 320))).shape == (view.least_side, 2 * view.least_side, 3)
    small = picture(size=(60, 50))
    assert np.array_equal(view.kept(small), np.asarray(small))
    boxes = [random_box((640, 320), random.Random(seed)) for seed in range(500)]
    sides = [box[place + 2] - box[place] for box in boxes for place in (0, 1)]
    assert min(sides) * view.least_side / 320 > 31


def test_what_changes_the_kept_pixels_changes_the_setting():
    larger = Description(backbones.DEFAULT, ("a", "b"), CONFIG | {"input_size": [3, 48, 48]})
    settings = [view(description).setting for view in (Middle, RandomCrop) for description in (DESCRIPTION, larger)]
    assert len(set(settings)) == 4
    shifted = Description(backbones.DEFAULT, ("a", "b"), CONFIG | {"mean": [0.1, 0.1, 0.1]})
    assert RandomCrop(shifted).setting == RandomCrop(DESCRIPTION).setting
