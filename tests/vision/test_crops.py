import random
import statistics

import pytest
import torch
from PIL import Image

from sagehound.vision.crops import random_box


@pytest.mark.parametrize("size", [(400, 300), (30, 1000), (1000, 30), (1, 1)])
def test_a_part_lies_within_the_photo(size):
    chance = random.Random(1)
    for _ in range(50):
        left, top, right, bottom = random_box(size, chance)
        assert 0 <= left < right <= size[0] + 1e-9
        assert 0 <= top < bottom <= size[1] + 1e-9
        assert 3 / 4 - 1e-6 <= (right - left) / (bottom - top) <= 4 / 3 + 1e-6


def test_boxes_are_drawn_as_torchvision_draws_them():
    from torchvision.transforms import RandomResizedCrop

    torch.manual_seed(0)
    size = (120, 90)
    drawn = [RandomResizedCrop.get_params(Image.new("RGB", size), [0.35, 1], [3 / 4, 4 / 3]) for _ in range(2000)]
    theirs = [(left, top, left + width, top + height) for top, left, height, width in drawn]
    ours = [random_box(size, random.Random(seed)) for seed in range(2000)]
    for place in range(4):
        a, b = ([float(box[place]) for box in boxes] for boxes in (ours, theirs))
        assert statistics.mean(a) == pytest.approx(statistics.mean(b), abs=2)
        assert statistics.stdev(a) == pytest.approx(statistics.stdev(b), rel=0.1)


def test_a_photo_that_no_crop_fits_gives_its_middle():
    assert random_box((1000, 10), random.Random(1)) == pytest.approx((1000 / 2 - 20 / 3, 0, 1000 / 2 + 20 / 3, 10))
    assert random_box((10, 1000), random.Random(1)) == pytest.approx((0, 1000 / 2 - 20 / 3, 10, 1000 / 2 + 20 / 3))
