"""A frozen backbone: a network up to its last layer, made ready to be run over many photos."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
import threading
from dataclasses import asdict

import PIL
import timm
import torch
from torch import Tensor, nn

from sagehound.vision.fusion import Pooled, fused
from sagehound.vision.inference import Description
from sagehound.vision.precision import Precision, Say

#: Of the way features are computed: counted up when anything here changes them.
_EDITION = 2
#: How far a fused network may be from the network itself, as a part of its features' norm.
_TOLERANCE = {Precision.FP32: 1e-3, Precision.BF16: 0.1}


class FrozenBackbone:
    """`network` is left as it is. What runs is made of it at first use: a trial that finds all its features in the
    cache never pays for it."""

    def __init__(
        self, network: nn.Module, description: Description, device: torch.device, precision: Precision, say: Say
    ) -> None:
        self._network = network
        self._description = description
        self._device = device
        self.precision = precision
        self._say = say
        self._once = threading.Lock()
        self._ready: nn.Module | None = None

    @property
    def description(self) -> Description:
        return self._description

    @functools.cached_property
    def setting(self) -> bytes:
        """A digest of all that features depend on beside the photos: weights (not the head's), transform, precision,
        versions."""
        digest = hashlib.sha256()
        description = self._description
        setting = [asdict(description)["transform"], description.architecture, description.stride_in_conv1]
        versions = [torch.__version__, timm.__version__, PIL.__version__, torch.backends.cpu.get_cpu_capability()]
        digest.update(json.dumps([setting, versions, self._device.type, self.precision, _EDITION]).encode())
        head: str = self._network.pretrained_cfg["classifier"]  # type: ignore[index, assignment]
        for name, value in self._network.state_dict().items():
            if not name.startswith(f"{head}."):
                digest.update(value.cpu().contiguous().numpy().tobytes())
        return digest.digest()

    def rows(self, images: Tensor) -> Tensor:
        """Features (n, width) in fp32 on the CPU of `images` (n, 3, height, width); from any thread."""
        return self._run(self.prepare(), images)

    def prepare(self) -> nn.Module:
        """Make what runs, if that has not been done yet."""
        with self._once:
            if self._ready is None:
                self._ready = self._made_ready()
            return self._ready

    @torch.inference_mode()
    def _run(self, network: nn.Module, images: Tensor) -> Tensor:
        there = images.to(self._device, self.precision.dtype).contiguous(memory_format=torch.channels_last)
        rows: Tensor = network(there)
        return rows.float().cpu()

    def _made_ready(self) -> nn.Module:
        size = self._description.transform["input_size"]
        plain: nn.Module = Pooled(copy.deepcopy(self._network).eval()).to(self._device, self.precision.dtype)
        plain.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self._device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
            return plain
        try:
            fast = fused(self._network, self.precision.dtype)
            probe = torch.randn(2, *size, generator=torch.Generator().manual_seed(0))
            expected, got = (self._run(network, probe) for network in (plain, fast))
        except Exception as error:  # noqa: BLE001 an architecture may do anything in its forward
            self._say(f"Layers are not fused, as {self._description.architecture} does not allow it: {_first(error)}")
            return plain
        if (got - expected).norm() <= _TOLERANCE[self.precision] * expected.norm():
            return fast
        self._say(f"Layers are not fused: {self._description.architecture} would give other features")
        return plain


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
