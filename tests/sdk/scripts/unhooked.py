"""A training without one line of the debugger's, its loss a function."""

import argparse
import time

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody writes it
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=30)
parser.add_argument("--scale", type=float, default=1.0)
parser.add_argument("--pause", type=float, default=0.0)
args = parser.parse_args()

torch.manual_seed(0)
torch.set_num_threads(1)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(args.steps):
    data = torch.randn(16, 8)
    optimizer.zero_grad()
    loss = F.cross_entropy(model(data) * args.scale, data[:, :3].argmax(1))
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"Test set: Average loss: {loss.item():.6f}", flush=True)
    time.sleep(args.pause)
torch.save(model.state_dict(), "/opt/ml/model/model.pth")
