import pytest
import torch
from torch import nn

from sagehound.vision import backbones, frozen_backbone
from sagehound.vision.frozen_backbone import FrozenBackbone
from sagehound.vision.fusion import Pooled
from sagehound.vision.precision import Precision

CPU = torch.device("cpu")
CLASSES = ("blue", "green", "red")


def made(network, description, precision=Precision.FP32, say=print) -> FrozenBackbone:
    return FrozenBackbone(network, description, CPU, precision, say)


@pytest.fixture
def created():
    network, description = backbones.create(backbones.DEFAULT, CLASSES, image_size=32)
    return network.eval(), description


def images() -> torch.Tensor:
    return torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(3))


@torch.inference_mode()
def test_rows_are_what_the_last_layer_takes_in(created):
    expected = Pooled(created[0].eval())(images())
    for precision, tolerance in ((Precision.FP32, 1e-4), (Precision.BF16, 0.1)):
        rows = made(*created, precision).rows(images())
        assert rows.dtype is torch.float32
        assert (rows - expected).norm() < tolerance * expected.norm()


def test_whatever_changes_the_features_changes_the_setting(created):
    network, description = created
    first = made(network, description).setting
    assert made(network, description).setting == first
    assert made(network, description, Precision.BF16).setting != first
    _, larger = backbones.create(backbones.DEFAULT, CLASSES, image_size=48)
    assert made(network, larger).setting != first
    nn.init.ones_(backbones.classifier(network).weight)
    assert made(network, description).setting == first
    nn.init.ones_(network.get_parameter("bn1.bias"))
    assert made(network, description).setting != first


@torch.inference_mode()
def test_a_network_that_can_not_be_followed_runs_as_it_is(created, monkeypatch):
    network, description = created
    forward = network.forward_features

    def by_value(x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 1e9:
            raise ValueError("too bright")
        return forward(x)

    monkeypatch.setattr(network, "forward_features", by_value)
    said: list[str] = []
    rows = made(network, description, say=said.append).rows(images())
    assert "not fused, as tf_efficientnet_lite0 does not allow it" in said[0]
    assert (rows - Pooled(network)(images())).norm() < 1e-3 * rows.norm()


@torch.inference_mode()
def test_a_fused_network_with_other_features_is_not_used(created, monkeypatch):
    network, description = created
    other, _ = backbones.create(backbones.DEFAULT, CLASSES, image_size=32)
    nn.init.zeros_(other.get_parameter("bn1.weight"))
    monkeypatch.setattr(frozen_backbone, "fused", lambda network, dtype: Pooled(other.eval()))
    said: list[str] = []
    rows = made(network, description, say=said.append).rows(images())
    assert "would give other features" in said[0]
    assert (rows - Pooled(network.eval())(images())).norm() < 1e-3 * rows.norm()
