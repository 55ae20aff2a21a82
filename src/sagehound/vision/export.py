"""The exported model: a folder that an endpoint serves, here and on AWS.

model.safetensors     the weights; in 16 bits where that loses nothing, as with a backbone that came in 16 bits
classifier.json       architecture, class names, transform (inference.Description)
code/inference.py     the handlers; a copy of vision/inference.py
code/requirements.txt what the handlers import, for containers that lack it
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from sagehound.vision import inference

#: Numbers; fewer are not worth a second type in the file.
_SMALL = 1000
REQUIREMENTS = "timm>=1.0.9,<2\nsafetensors>=0.4.5,<1\n"


def export(network: nn.Module, description: inference.Description, folder: Path) -> None:
    """Write the model into `folder` (made if need be; SageMaker packs it as model.tar.gz)."""
    code = folder / "code"
    code.mkdir(parents=True, exist_ok=True)
    weights = {name: _stored(value.detach().cpu().contiguous()) for name, value in network.state_dict().items()}
    save_file(weights, folder / inference.WEIGHTS_FILE, {"format": "pt"})
    description.write(folder / inference.DESCRIPTION_FILE)
    shutil.copyfile(inference.__file__, code / "inference.py")
    (code / "requirements.txt").write_text(REQUIREMENTS)


def _stored(value: Tensor) -> Tensor:
    """The same numbers in half the bytes, if they are: a network takes them back into its own 32 bits."""
    if value.dtype != torch.float32 or value.numel() < _SMALL:
        return value
    half = value.half()
    return half if torch.equal(half.float(), value) else value
