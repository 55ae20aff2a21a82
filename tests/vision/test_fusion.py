import pytest
import timm
import torch
from torch import nn

from sagehound.vision.fusion import Pooled, _Convolution, fused


def randomised(network: nn.Module) -> nn.Module:
    """Statistics of normalisation as after a training, so that folding them has something to get wrong."""
    chance = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for name, least in (("weight", 0.5), ("bias", 0.1), ("running_mean", 0.1), ("running_var", 0.5)):
                value = getattr(module, name)
                value.data.copy_(least + torch.rand(value.shape, generator=chance))
    return network.eval()


@pytest.mark.parametrize(
    ("model", "convolutions"),
    [("resnet18", 20), ("resnet50", 53), ("tf_efficientnet_lite0", 44), ("mobilenetv3_small_050", 40)],
)
@torch.inference_mode()
def test_the_features_are_the_networks_own(model, convolutions):
    network = randomised(timm.create_model(model, num_classes=3))
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    expected = Pooled(network)(images)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fast = fused(network, torch.float32)
    for _ in range(2):  # adding in place must not change what the next run starts from
        got = fast(images.contiguous(memory_format=torch.channels_last))
        assert (got - expected).norm() < 1e-4 * expected.norm()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert sum(isinstance(module, _Convolution) for module in fast.modules()) >= convolutions
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fast.modules() if isinstance(module, nn.Conv2d))


@torch.inference_mode()
def test_bf16_is_near(model="resnet18"):
    network = randomised(timm.create_model(model, num_classes=3))
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    expected, got = Pooled(network)(images), fused(network, torch.bfloat16)(images.bfloat16())
    assert got.dtype is torch.bfloat16
    assert (got.float() - expected).norm() < 0.05 * expected.norm()


class Reused(nn.Module):
    """One convolution before two normalisations, and a sum whose parts are needed again."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3, padding=1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(3), nn.BatchNorm2d(3)])
        self.last = nn.Conv2d(3, 3, 1)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        first = self.norms[0](self.convolution(images))
        second = self.norms[1](self.convolution(first))
        return (self.last(second) + second) * second + images

    def forward_head(self, maps: torch.Tensor, pre_logits: bool) -> torch.Tensor:
        return maps.mean((2, 3))


@torch.inference_mode()
def test_what_is_used_twice_is_left_as_it_is():
    network = randomised(Reused())
    images = torch.randn(2, 3, 8, 8)
    kept = images.clone()
    expected, got = Pooled(network)(images), fused(network, torch.float32)(images)
    assert torch.allclose(got, expected, atol=1e-5)
    assert torch.equal(images, kept)
