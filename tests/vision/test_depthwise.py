import pytest
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import nn

from sagehound.vision import backbones
from sagehound.vision.depthwise import fast_gradients

LAST = torch.channels_last
SHAPES = [(3, 1), (3, 2), (5, 1), (5, 2), (7, 1), (7, 2)]


def gradients(layer: nn.Conv2d, images: torch.Tensor) -> list[torch.Tensor]:
    images = images.clone().contiguous(memory_format=LAST).requires_grad_()
    made = layer(images)
    weights = torch.arange(made.numel(), dtype=made.dtype).reshape(made.shape).sin()
    return [made, *torch.autograd.grad((made * weights).sum(), [images, layer.weight])]


@pytest.mark.parametrize("size", [(13, 16), (14, 14)])
@pytest.mark.parametrize(("kernel", "stride"), SHAPES)
@pytest.mark.parametrize("kind", ["same", "symmetric", "none"])
def test_the_gradients_are_those_of_torch(kind, kernel, stride, size):
    torch.manual_seed(0)
    if kind == "same":
        layer = Conv2dSame(6, 6, kernel, stride, groups=6, bias=False)
    else:
        padding = kernel // 2 if kind == "symmetric" else 0
        layer = nn.Conv2d(6, 6, kernel, stride, padding, groups=6, bias=False)
    layer.double()
    images = torch.randn(3, 6, *size, dtype=torch.double)
    theirs = gradients(layer, images)
    with fast_gradients(layer):
        ours = gradients(layer, images)
    assert all(torch.allclose(a, b) for a, b in zip(ours, theirs, strict=True))


def test_kernels_and_strides_need_not_be_square():
    layer = nn.Conv2d(4, 4, (3, 5), (1, 2), (0, 2), groups=4, bias=False).double()
    images = torch.randn(2, 4, 9, 12, dtype=torch.double)
    theirs = gradients(layer, images)
    with fast_gradients(layer):
        ours = gradients(layer, images)
    assert all(torch.allclose(a, b) for a, b in zip(ours, theirs, strict=True))


def test_a_gradient_comes_back_in_the_layout_that_the_images_had():
    layer = Conv2dSame(8, 8, 3, 2, groups=8, bias=False)
    images = torch.randn(2, 8, 12, 12).contiguous(memory_format=LAST).requires_grad_()
    with fast_gradients(layer):
        (gradient,) = torch.autograd.grad(layer(images).sum(), images)
    assert gradient.is_contiguous(memory_format=LAST)


def test_only_plain_depthwise_convolutions_are_changed_and_only_within():
    layers = nn.ModuleList(
        [
            nn.Conv2d(4, 4, 3, groups=4, bias=False),
            nn.Conv2d(4, 8, 3, groups=4, bias=False),
            nn.Conv2d(4, 4, 3, groups=4, bias=True),
            nn.Conv2d(4, 4, 3, groups=4, bias=False, dilation=2),
            nn.Conv2d(4, 4, 3, groups=4, bias=False, padding_mode="reflect"),
            nn.Conv2d(4, 4, 3, groups=4, bias=False, padding="same"),
            nn.Conv2d(4, 4, 1, bias=False),
        ]
    )
    with pytest.raises(ZeroDivisionError), fast_gradients(layers):
        assert ["forward" in vars(layer) for layer in layers] == [True, *[False] * 6]
        1 / 0  # noqa: B018
    assert not any("forward" in vars(layer) for layer in layers)


def test_a_network_keeps_its_parameters_and_hooks_and_gets_their_gradients():
    network, _ = backbones.create(backbones.DEFAULT, ("a", "b"), image_size=64)
    network.double().to(memory_format=LAST).train()
    torch.nn.init.normal_(backbones.classifier(network).weight)
    images = torch.randn(4, 3, 64, 64, dtype=torch.double).contiguous(memory_format=LAST)
    heard: list[str] = []
    network.get_submodule("blocks.1.0.conv_dw").register_forward_hook(lambda *_: heard.append("depthwise"))
    names = list(network.state_dict())

    def of_loss() -> dict[str, torch.Tensor]:
        network.zero_grad()
        nn.functional.cross_entropy(network(images), torch.tensor([0, 1, 0, 1])).backward()
        return {name: value.grad.clone() for name, value in network.named_parameters()}

    theirs = of_loss()
    with fast_gradients(network):
        ours = of_loss()
    assert heard == ["depthwise"] * 2
    assert list(network.state_dict()) == names
    for name, gradient in theirs.items():
        assert torch.allclose(ours[name], gradient, rtol=1e-6, atol=1e-10), name


def test_bf16_gives_gradients_in_fp32_and_evaluation_is_as_before():
    layer = nn.Conv2d(8, 8, 5, 2, 2, groups=8, bias=False)
    images = torch.randn(2, 8, 12, 12)
    with torch.inference_mode():
        before = layer(images)
    with fast_gradients(layer):
        with torch.autocast("cpu", torch.bfloat16):
            made = layer(images)
        made.float().sum().backward()
        with torch.inference_mode():
            assert torch.equal(layer(images), before)
    assert made.dtype == torch.bfloat16
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32
