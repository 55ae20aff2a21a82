"""What the endpoint runs: load the model that train_model.py saved, read a photo, give each class a number."""

import io
import json
import urllib.request
from pathlib import Path

import torch
from PIL import Image
from torch import nn
from torchvision import models, transforms


def model_fn(model_dir: str) -> tuple[nn.Module, transforms.Compose]:
    """The network, and the transform of its training."""
    saved = torch.load(Path(model_dir) / "model.pth", map_location="cpu")
    model: nn.Module
    if saved["network"] == "resnet50":
        model = models.resnet50(num_classes=len(saved["classes"]))
    else:
        import timm

        model = timm.create_model(saved["network"], num_classes=len(saved["classes"]))
    model.load_state_dict(saved["weights"])
    transform = transforms.Compose(
        [
            transforms.Resize((saved["image_size"], saved["image_size"])),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    return model.eval(), transform


def input_fn(body: bytes, content_type: str) -> Image.Image:
    """The bytes of a photo (image/jpeg, image/png), or JSON with its address: {"url": "https://..."}."""
    if content_type == "application/json":
        with urllib.request.urlopen(json.loads(body)["url"], timeout=10) as reply:
            body = reply.read()
    elif content_type not in ("image/jpeg", "image/png", "application/x-image"):
        raise ValueError(f"send image/jpeg, image/png or application/json, not {content_type}")
    return Image.open(io.BytesIO(body)).convert("RGB")


def predict_fn(image: Image.Image, model: tuple[nn.Module, transforms.Compose]) -> torch.Tensor:
    """One number for each class, in alphabetical order; the largest is the answer. The endpoint makes JSON of it."""
    network, transform = model
    with torch.no_grad():
        logits: torch.Tensor = network(transform(image).unsqueeze(0))
    return logits
