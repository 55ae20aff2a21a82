"""Depthwise convolutions whose gradients take the fast kernels of the CPU.

oneDNN is fast at a depthwise convolution forwards. At its gradients it is so for some shapes only; for the others it
falls back to kernels that take up to forty times as long, and longer in bf16 than in fp32 (torch 2.13: the gradient of
the inputs at strides above one, that of the weights at kernels wider than three). Both can be had from the fast ones:

- The gradient of the inputs is a convolution forwards: of the outputs' gradient, spread by the stride, with the kernel
  turned round.
- The gradient of the weights is computed for three columns of the kernel at a time.

Padding that is not the same on both sides (TensorFlow's "same") is part of it: its gradient is handed on in the layout
of the images, and not as a view of a part of something larger, which what comes before would have to copy.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import get_same_padding
from torch import Tensor, nn

#: What autograd hands a function to keep things in; torch has no public type for it.
Context = Any

#: The widest kernel for which oneDNN has a fast gradient of the weights.
_COLUMNS = 3

Pair = tuple[int, int]


@contextlib.contextmanager
def fast_gradients(network: nn.Module) -> Iterator[None]:
    """Within it, the depthwise convolutions of `network` learn with the fast kernels; same values but for rounding.

    They are the same modules with the same parameters and hooks, before, within and after it. Off the CPU, and where no
    gradient is asked for, they compute as before.
    """
    chosen = [module for module in network.modules() if isinstance(module, nn.Conv2d) and _fits(module)]
    for module in chosen:
        module.forward = functools.partial(_forward, module)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for module in chosen:
            del module.forward


def _fits(module: nn.Conv2d) -> bool:
    """A plain depthwise convolution of timm's or torch's own, one kernel a channel."""
    plain = type(module) in (nn.Conv2d, Conv2dSame) and module.padding_mode == "zeros" and module.dilation == (1, 1)
    sized = isinstance(module.padding, tuple) or isinstance(module, Conv2dSame)
    return plain and sized and module.bias is None and module.groups == module.in_channels == module.out_channels


def _forward(module: nn.Conv2d, images: Tensor) -> Tensor:
    if images.device.type != "cpu" or not torch.is_grad_enabled():
        return type(module).forward(module, images)
    kernel: Any = module.kernel_size
    stride: Any = module.stride
    if isinstance(module, Conv2dSame):
        rows, columns = (get_same_padding(images.shape[2 + axis], kernel[axis], stride[axis], 1) for axis in (0, 1))
    else:
        rows, columns = (2 * int(padding) for padding in module.padding)
    weight = module.weight
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        images, weight = images.to(dtype), weight.to(dtype)
    if rows % 2 == columns % 2 == 0:
        padding = (rows // 2, columns // 2)
        return _depthwise(images, weight, stride, padding)
    borders = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    padded: Tensor = _Padded.apply(images, borders)  # type: ignore[no-untyped-call]
    return _depthwise(padded, weight, stride, (0, 0))


def _depthwise(images: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
    made: Tensor = _Depthwise.apply(images, weight, stride, padding)  # type: ignore[no-untyped-call]
    return made


class _Padded(torch.autograd.Function):
    """Zeros around images; the gradient comes back in their layout, which a view of a part would not have."""

    @staticmethod
    def forward(ctx: Context, images: Tensor, borders: tuple[int, int, int, int]) -> Tensor:
        ctx.borders, ctx.size = borders, images.shape[2:]
        return F.pad(images, borders)

    @staticmethod
    def backward(ctx: Context, gradient: Tensor) -> tuple[Tensor, None]:
        left, _, top, _ = ctx.borders
        rows, columns = ctx.size
        part = gradient[:, :, top : top + rows, left : left + columns]
        return part.contiguous(memory_format=torch.channels_last), None


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Context, images: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
        ctx.stride, ctx.padding = stride, padding
        ctx.save_for_backward(images, weight)
        return F.conv2d(images, weight, None, stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx: Context, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        images, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_images, of_weight, *_ = ctx.needs_input_grad
        return (
            _of_images(gradient, images, weight, ctx.stride, ctx.padding) if of_images else None,
            _of_weight(gradient, images, weight, ctx.stride, ctx.padding) if of_weight else None,
            None,
            None,
        )


def _of_images(gradient: Tensor, images: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
    count, channels, rows, columns = images.shape
    tall, wide = weight.shape[2:]
    border = (tall - 1 - padding[0], wide - 1 - padding[1])
    turned = weight.flip(2, 3)
    if stride == (1, 1):
        return F.conv2d(gradient, turned, padding=border, groups=channels)
    spread = gradient.new_zeros(count, rows + tall - 1, columns + wide - 1, channels).permute(0, 3, 1, 2)
    height, width = gradient.shape[2:]
    below = slice(border[0], border[0] + stride[0] * height, stride[0])
    right = slice(border[1], border[1] + stride[1] * width, stride[1])
    spread[:, :, below, right] = gradient
    return F.conv2d(spread, turned, groups=channels)


def _of_weight(gradient: Tensor, images: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
    wide = weight.shape[3]
    if wide <= _COLUMNS:
        return _conv_gradient(gradient, images, weight, stride, padding)
    parts = []
    for first in range(0, wide, _COLUMNS):
        some = weight[:, :, :, first : first + _COLUMNS]
        left = padding[1] - first
        seen = stride[1] * (gradient.shape[3] - 1) + some.shape[3]
        window = F.pad(images, (left, seen - left - images.shape[3]))
        parts.append(_conv_gradient(gradient, window, some, stride, (padding[0], 0)))
    return torch.cat(parts, 3)


def _conv_gradient(gradient: Tensor, images: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
    wanted = [False, True, False]
    made: Tensor = torch.ops.aten.convolution_backward(
        gradient, images, weight, None, stride, padding, (1, 1), False, (0, 0), len(weight), wanted
    )[1]
    return made
