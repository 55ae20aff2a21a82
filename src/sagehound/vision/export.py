"""The exported model: a folder that an endpoint serves, here and on AWS.

model.safetensors     the weights
classifier.json       architecture, class names, transform (inference.Description)
code/inference.py     the handlers; a copy of vision/inference.py
code/requirements.txt what the handlers import, for containers that lack it
"""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import save_file
from torch import nn

from sagehound.vision import inference

REQUIREMENTS = "timm>=1.0.9,<2\nsafetensors>=0.4.5,<1\n"


def export(network: nn.Module, description: inference.Description, folder: Path) -> None:
    """Write the model into `folder` (made if need be; SageMaker packs it as model.tar.gz)."""
    code = folder / "code"
    code.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / inference.WEIGHTS_FILE, {"format": "pt"})
    description.write(folder / inference.DESCRIPTION_FILE)
    shutil.copyfile(inference.__file__, code / "inference.py")
    (code / "requirements.txt").write_text(REQUIREMENTS)
