"""Serve an image classifier: the four functions that a SageMaker endpoint calls.

This file travels with the model as `code/inference.py` and therefore imports nothing of Sagehound: it runs in AWS's
PyTorch container too (`code/requirements.txt` beside it brings timm and safetensors). Training reads its photos and
applies its transform through the functions below, so what is served is what was trained.

Requests: `image/jpeg`, `image/png`, any other `image/*`, `application/x-image` with the file's bytes, or
`application/json` with `{"url": "https://..."}` (also `data:` and, where boto3 is installed, `s3://`).
Replies: `application/json` is `[[p0, p1, ...]]`, one probability a class, so `np.argmax(response, 1)` is the class; its
number counts the class names in alphabetical order. `application/json;verbose=true` is one object with the names:
`{"label": "hat", "probability": 0.98, "classes": ["hat", ...], "probabilities": [0.98, ...]}`.
"""

from __future__ import annotations

import base64
import functools
import io
import json
import math
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import timm
import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file
from timm.data.transforms_factory import create_transform
from torch import Tensor, nn

DESCRIPTION_FILE = "classifier.json"
WEIGHTS_FILE = "model.safetensors"

#: A small file can unfold into gigabytes; a 64-megapixel photo takes 192 MB as RGB. SAGEHOUND_MAX_PIXELS overrides it.
MAX_PIXELS = 64_000_000
MAX_DOWNLOAD_BYTES = 32 * 1024 * 1024
DOWNLOAD_TIMEOUT_S = 10.0
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "PPM", "TIFF")


class Stream(Protocol):
    """The body of a reply."""

    def read(self, size: int, /) -> bytes: ...


class BadImage(ValueError):
    """The bytes are not a photo that can be read in full, or are larger than allowed."""


class BadRequest(ValueError):
    """The request's content type, JSON or address can not be served."""


@dataclass(frozen=True)
class Description:
    """What a classifier is, apart from its weights; `classifier.json` holds it.

    `transform` is in timm's vocabulary: input_size (channels, height, width), interpolation, mean, std, crop_pct,
    crop_mode.
    `stride_in_conv1` marks the first ResNet-50 ("v1"), whose 1x1 convolutions carry the strides.
    """

    architecture: str
    classes: tuple[str, ...]
    transform: dict[str, Any]
    stride_in_conv1: bool = False

    @classmethod
    def read(cls, file: Path) -> Description:
        fields = json.loads(file.read_text())
        return cls(**{**fields, "classes": tuple(fields["classes"])})

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")


@dataclass(frozen=True)
class Classifier:
    """A network in eval mode, what it is, and the device that it runs on."""

    network: nn.Module
    description: Description
    device: torch.device


@dataclass(frozen=True)
class Prediction:
    """Logits of shape (1, classes), and the class names in the same order."""

    logits: Tensor
    classes: tuple[str, ...]


def model_fn(model_dir: str) -> Classifier:
    """Load the classifier that `export` wrote into `model_dir`."""
    folder = Path(model_dir)
    description = Description.read(folder / DESCRIPTION_FILE)
    network = build_network(description)
    network.load_state_dict(load_file(folder / WEIGHTS_FILE))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    return Classifier(network, description, device)


def input_fn(body: bytes | bytearray | str, content_type: str) -> Image.Image:
    """The request's photo, opened and not decoded yet: the model says in `predict_fn` at which scale.

    BadRequest or BadImage (both ValueErrors) say what is wrong with it."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return open_image(fetch(_url(body)))
    if kind.startswith("image/") or kind in ("application/x-image", "application/octet-stream"):
        return open_image(body.encode("latin-1") if isinstance(body, str) else bytes(body))
    raise BadRequest(
        f"content type {content_type!r} is not served; send image/jpeg, image/png or application/x-image "
        'with the bytes of a photo, or application/json with {"url": "https://..."}'
    )


def predict_fn(image: Image.Image, model: Classifier) -> Prediction:
    """Decode as training did, apply its transform, then the network. BadImage where the photo turns out broken."""
    transform = build_transform(model.description)
    pixels = transform(decode(image, transform.least_side)).unsqueeze(0)
    with torch.inference_mode():
        logits = model.network(pixels.to(model.device, memory_format=torch.channels_last))
    return Prediction(logits.float().cpu(), model.description.classes)


def output_fn(prediction: Prediction, accept: str) -> str:
    """JSON as the module's docstring shows it; BadRequest where the client takes no JSON."""
    kind, _, options = accept.lower().replace(" ", "").partition(";")
    if kind not in ("", "*/*", "application/*", "application/json"):
        raise BadRequest(f"accept {accept!r} is not served; ask for application/json or application/json;verbose=true")
    probabilities = prediction.logits.softmax(1).tolist()
    if "verbose=true" not in options.split(";"):
        return json.dumps(probabilities)
    best = int(prediction.logits.argmax(1))
    return json.dumps(
        {
            "label": prediction.classes[best],
            "probability": probabilities[0][best],
            "classes": prediction.classes,
            "probabilities": probabilities[0],
        }
    )


def build_network(description: Description) -> nn.Module:
    """The network with fresh weights; needs no network connection."""
    network: nn.Module = timm.create_model(
        description.architecture, pretrained=False, num_classes=len(description.classes)
    )
    if description.stride_in_conv1:
        move_strides_to_conv1(network)
    return network


def move_strides_to_conv1(resnet: nn.Module) -> None:
    """Turn timm's ResNet-50 (v1.5) into the v1 network; the weights have the same shapes in both."""
    for stage in ("layer2", "layer3", "layer4"):
        block: Any = resnet.get_submodule(stage)[0]  # type: ignore[index]
        block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)


@dataclass(frozen=True)
class Transform:
    """From an RGB photo to a tensor (3, height, width): resize, centre crop, normalise.

    `least_side` (pixels) is how long the photo's shorter side must be at least for nothing to be enlarged that was not
    small to begin with: what `decode` is asked for. `apply` is a function, so that it can be another library's; where
    it is `pixels`, then `normalised`, those bytes can be had by themselves.
    """

    least_side: int
    apply: Callable[[Image.Image], Tensor]
    pixels: Callable[[Image.Image], Tensor] | None = None

    def __call__(self, image: Image.Image) -> Tensor:
        return self.apply(image)


def build_transform(description: Description) -> Transform:
    """The transform of evaluation, in training and in serving."""
    config = description.transform
    _, height, width = config["input_size"]
    least_side = math.floor(max(height, width) / config.get("crop_pct", 0.875))
    if height != width or config.get("crop_mode", "center") != "center":
        return Transform(least_side, create_transform(**config, is_training=False))
    pixels = functools.partial(_central, share=height / least_side, config=config)
    return Transform(least_side, lambda image: normalised(pixels(image), config), pixels)


def _central(image: Image.Image, share: float, config: dict[str, Any]) -> Tensor:
    return resampled(image, centre(image.size, share), config)


#: Left, top, right, bottom in pixels of the photo; they need not be whole.
Box = tuple[float, float, float, float]


def centre(size: tuple[int, int], share: float) -> Box:
    """The square in the middle of a photo of `size` (width, height) whose side is `share` of the shorter one."""
    width, height = size
    side = min(width, height) * share
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def resampled(image: Image.Image, box: Box, config: dict[str, Any]) -> Tensor:
    """`box` of an RGB photo at the size of the network's input: bytes (3, height, width). One resampling of what is
    used, where "resize, then crop" resamples all of the photo."""
    _, height, width = config["input_size"]
    method = Image.Resampling[config["interpolation"].upper()]
    pixels = np.array(image.resize((width, height), method, box))
    return torch.from_numpy(pixels).permute(2, 0, 1)


def normalised(pixels: Tensor, config: dict[str, Any]) -> Tensor:
    """Bytes (..., 3, height, width) as the network takes them: less the mean, by the standard deviation."""
    mean, std = (torch.tensor(config[name]).view(-1, 1, 1) * 255 for name in ("mean", "std"))
    return (pixels.float() - mean) / std


def read_image(data: bytes, least_side: int = 0) -> Image.Image:
    """Open and decode: a photo upright in RGB; BadImage if it is broken, cut short or too large."""
    return decode(open_image(data), least_side)


def open_image(data: bytes) -> Image.Image:
    """A photo whose header has been read; BadImage where it has none, or tells of more pixels than are allowed."""
    limit = int(os.environ.get("SAGEHOUND_MAX_PIXELS", MAX_PIXELS))
    try:
        image = Image.open(io.BytesIO(data), formats=IMAGE_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImage(f"image over the limit of {limit} pixels: {error}; send a smaller one") from error
    except _DAMAGE as error:
        raise _broken(len(data), error) from error
    if image.width * image.height > limit:
        raise BadImage(
            f"an image of {image.width} x {image.height} pixels is over the limit of {limit} pixels; "
            "send a smaller one, or raise SAGEHOUND_MAX_PIXELS"
        )
    return image


def decode(image: Image.Image, least_side: int = 0) -> Image.Image:
    """The opened photo upright (EXIF orientation applied) in RGB; BadImage if it is broken or cut short.

    A JPEG is decoded at the smallest scale (1/1, 1/2, 1/4, 1/8) whose shorter side still has `least_side` pixels: a
    phone's photo then takes a tenth of the time. 0 asks for every pixel.
    """
    stream = getattr(image, "fp", None)
    try:
        if least_side:
            image.draft(None, (least_side, least_side))
        image.load()
        return ImageOps.exif_transpose(image).convert("RGB")
    except _DAMAGE as error:
        raise _broken(_length(stream), error) from error


#: Pillow reports damage as any of these, by file format.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, MemoryError)


def _length(stream: Any) -> int:  # noqa: ANN401
    return stream.getbuffer().nbytes if isinstance(stream, io.BytesIO) and not stream.closed else 0


def _broken(size_bytes: int, error: BaseException) -> BadImage:
    shown = str(error).split("<")[0].strip() or type(error).__name__
    return BadImage(
        f"{size_bytes} bytes that are not a whole {', '.join(IMAGE_FORMATS[:3])} image ({shown}); "
        "was the file cut short, or is it of another type?"
    )


def fetch(url: str) -> bytes:
    """The bytes behind http(s)://, data: or s3://; BadRequest for other addresses, failures and over-long replies."""
    scheme = urllib.parse.urlsplit(url).scheme.lower()
    if scheme == "data":
        return _fetch_data(url)
    if scheme == "s3":
        return _fetch_s3(url)
    if scheme in ("http", "https"):
        return _fetch_http(url)
    raise BadRequest(f"url {url[:100]!r} is not served; use https://, http://, s3:// or data:image/...;base64,")


def _url(body: bytes | bytearray | str) -> str:
    try:
        request = json.loads(body)
    except ValueError as error:
        raise BadRequest(f'the body is not JSON ({error}); send {{"url": "https://..."}}') from error
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise BadRequest('the JSON has no text under "url"; send {"url": "https://..."}')
    return str(request["url"])


def _fetch_data(url: str) -> bytes:
    head, comma, payload = url.partition(",")
    try:
        if not comma or not head.endswith(";base64"):
            raise ValueError("no ;base64, in it")
        return base64.b64decode(urllib.parse.unquote(payload), validate=True)
    except ValueError as error:
        raise BadRequest(f"the data: address cannot be read ({error}); send data:image/jpeg;base64,...") from error


def _fetch_http(url: str) -> bytes:
    # Wikimedia and others refuse urllib's own name.
    request = urllib.request.Request(url, headers={"User-Agent": "image-classifier/1.0"})
    try:
        with urllib.request.urlopen(request, timeout=DOWNLOAD_TIMEOUT_S) as reply:
            return _read_within_limits(reply, url)
    except (urllib.error.URLError, OSError, ValueError) as error:
        if isinstance(error, BadRequest):
            raise
        raise BadRequest(f"{url[:200]} could not be fetched ({error}); check it, or send the photo's bytes") from error


def _fetch_s3(url: str) -> bytes:
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise BadRequest(f"{url} needs boto3 in the endpoint; add it to code/requirements.txt") from error
    bucket, _, key = url.removeprefix("s3://").partition("/")
    try:
        reply = boto3.client("s3").get_object(Bucket=bucket, Key=key)
    except (BotoCoreError, ClientError) as error:
        raise BadRequest(f"{url} could not be read ({error}); check the address and the rights to it") from error
    return _read_within_limits(reply["Body"], url)


def _read_within_limits(stream: Stream, url: str) -> bytes:
    # A timeout on each read alone would let a slow server hold the worker for ever.
    deadline = time.monotonic() + DOWNLOAD_TIMEOUT_S
    data = bytearray()
    while chunk := stream.read(65536):
        data += chunk
        if len(data) > MAX_DOWNLOAD_BYTES:
            raise BadRequest(f"{url[:200]} is larger than {MAX_DOWNLOAD_BYTES} bytes; send a smaller photo")
        if time.monotonic() > deadline:
            raise BadRequest(f"{url[:200]} took longer than {DOWNLOAD_TIMEOUT_S:g} s; send the photo's bytes")
    return bytes(data)
