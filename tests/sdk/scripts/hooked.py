"""A training as users of the debugger write it; `--hook` chooses among the ways in which they register it."""

import argparse
import os

import smdebug.pytorch as smd
import torch
from smdebug.pytorch import get_hook
from torch import nn


class Net(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.fc1 = nn.Linear(8, 16)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(16, 3)
        self.scale = scale

    def forward(self, x):
        return self.fc2(self.relu(self.fc1(x))) * self.scale


def batches(count, seed):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        data = torch.randn(16, 8, generator=generator)
        yield data, data[:, :3].argmax(1)


def train(model, criterion, optimizer, hook, steps):
    model.train()
    if hook:
        hook.set_mode(smd.modes.TRAIN)
    for data, target in batches(steps, 1):
        optimizer.zero_grad()
        loss = criterion(model(data), target)
        loss.backward()
        optimizer.step()
    print(f"Train Loss: {loss.item():.6f}")


def test(model, criterion, hook):
    model.eval()
    if hook:
        hook.set_mode(smd.modes.EVAL)
    with torch.no_grad():
        losses = [criterion(model(data), target).item() for data, target in batches(6, 2)]
    print(f"Test set: Average loss: {sum(losses) / len(losses):.6f}")


def registered(way, model, criterion):
    if way == "json":
        hook = smd.Hook.create_from_json_file()
        hook.register_hook(model)
    else:
        hook = get_hook(create_if_not_exists=True)
        hook.register_module(model)
    hook.register_loss(criterion)
    return hook


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hook", default="json")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = Net(args.scale)
    criterion = nn.CrossEntropyLoss()
    hook = registered(args.hook, model, criterion)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    for _ in range(args.epochs):
        train(model, criterion, optimizer, hook, args.steps)
        test(model, criterion, hook)
    torch.save(model.state_dict(), f"{args.model_dir}/model.pth")


if __name__ == "__main__":
    main()
