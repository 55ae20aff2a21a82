from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sagehound.debug.rules.check_input_images import CheckInputImages
from sagehound.debug.rules.registry import build
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step, layer_input, noise
from tests.debug.rules.trained import trained

IMAGES = layer_input("", "Net")


def shown(mean: float, batches: int = 5, size: int = 100, channel: int = 1) -> Trial:
    run = RecordedRun()
    for _ in range(batches):
        images = noise(size, 3, 4, 4)
        images -= images.mean()
        images[:, 1] += mean - images[:, 1].mean()
        run.save({IMAGES: np.moveaxis(images, 1, channel)})
    return run.end().trial()


@pytest.mark.parametrize(("mean", "times"), [(0.19, 0), (0.21, 1), (-0.21, 1)])
def test_a_channel_away_from_zero(mean: float, times: int) -> None:
    found = at_each_step(CheckInputImages(), shown(mean))
    assert len(found) == times
    assert not found or f"Channel 1 of {IMAGES.name} has a mean of {mean} over 500 images" in found[0].message


def test_too_few_images_tell_nothing_and_every_image_is_read_once() -> None:
    assert at_each_step(CheckInputImages(), shown(5.0, batches=4)) == []
    assert [each.step for each in at_each_step(CheckInputImages(), shown(5.0, batches=12))] == [4, 9]


def test_parameters() -> None:
    rule = build("CheckInputImages", {"threshold_mean": "1", "threshold_samples": "100", "channel": "3"})
    assert at_each_step(rule, shown(0.9, 1, channel=3)) == []
    assert at_each_step(rule, shown(1.1, 1, channel=3))
    assert at_each_step(build("CheckInputImages", {"regex": ".*hybridsequential0_input_0"}), shown(0.5))
    assert at_each_step(build("CheckInputImages", {"regex": "other"}), shown(0.5)) == []


def test_the_first_convolution_knows_better_than_the_model() -> None:
    run = RecordedRun()
    run.save({IMAGES: noise(500, 3, 4, 4) + 5, layer_input("conv1", "Conv2d"): noise(500, 3, 4, 4)})
    run.save({layer_input("conv2", "Conv2d"): noise(500, 64, 2, 2) + 5})
    assert at_each_step(CheckInputImages(), run.end().trial()) == []


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0, IMAGES: noise(5, 3)})
    assert "add CollectionConfig(name='input_image'" in CheckInputImages().unable(run.trial())
    assert CheckInputImages().unable(shown(0.0)) == ""


@pytest.mark.parametrize(("mean", "finds"), [(0.5, True), (0.0, False)])
def test_real_trainings(tmp_path: Path, mean: float, finds: bool) -> None:
    torch.manual_seed(0)
    batches = [(torch.rand(64, 3, 6, 6) - 0.5 + mean, torch.randint(0, 3, (64,))) for _ in range(8)]
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(32, 3))
    assert bool(at_each_step(CheckInputImages(), trained(tmp_path / "run", model, batches))) == finds
