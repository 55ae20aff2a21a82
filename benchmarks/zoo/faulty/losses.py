"""Losses that are given the wrong thing or computed in an unsafe way."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from sagehound.debug.modes import modes
from zoo.data import clusters, digits, loader, split, surface
from zoo.loop import fit
from zoo.training import faulty


@faulty(
    "a softmax layer before CrossEntropyLoss",
    "SoftmaxBeforeCrossEntropy",
    source="github.com/Lightning-Universe/lightning-bolts/issues/654; Karpathy 2018, most common neural net mistakes",
)
def softmax_before_cross_entropy(hook):
    train, validation = split(digits(flat=True))
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(dim=1))
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), train, validation)


@faulty(
    "softmax in forward, and F.cross_entropy on top of it",
    "SoftmaxBeforeCrossEntropy",
    source="github.com/sugi-chan/custom_bert_pipeline/issues/1; github.com/gitabcworld/MatchingNetworks/issues/5",
)
def softmax_before_functional_cross_entropy(hook):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 16, 3), nn.Linear(576, 10)

        def forward(self, x):
            return F.softmax(self.fc(F.relu(self.conv(x)).flatten(1)), dim=1)

    train, _ = split(digits())
    model = Net()
    hook.register_module(model)
    hook.set_mode(modes.TRAIN)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(5):
        for images, labels in train:
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()


@faulty(
    "softmax, and not log_softmax, before NLLLoss: the loss is negative and its gradient weak",
    "SoftmaxBeforeCrossEntropy",
    source="github.com/clvrai/ACGAN-PyTorch/pull/4; github.com/yanx27/Pointnet_Pointnet2_pytorch/issues/30",
)
def softmax_before_nll(hook):
    train, validation = split(digits(flat=True))
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(dim=1))
    fit(hook, model, nn.NLLLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), train, validation)


@faulty(
    "raw scores into NLLLoss: the loss falls without bound",
    "LossNotFinite",
    source="github.com/pytorch/pytorch/pull/12703; github.com/pytorch/pytorch/issues/10033",
)
def raw_scores_into_nll(hook):
    train, validation = split(digits(flat=True))
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    fit(hook, model, nn.NLLLoss(), torch.optim.SGD(model.parameters(), lr=0.05), train, validation)


@faulty(
    "a hand-written cross-entropy takes the logarithm of 0",
    "LossNotFinite",
    "ExplodingTensor",
    source="github.com/NVIDIA/apex/issues/358; github.com/mathiaszinnen/focal_loss_torch/issues/3",
)
def logarithm_of_zero(hook):
    class BinaryLoss(nn.Module):
        def forward(self, probability, label):
            return -(label * torch.log(probability) + (1 - label) * torch.log(1 - probability)).mean()

    points, labels = clusters(classes=2, spread=0.3)
    train, validation = split((points * 20, labels.float().unsqueeze(1)))
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid())
    fit(hook, model, BinaryLoss(), torch.optim.Adam(model.parameters(), lr=0.01), train, validation)


@faulty(
    "the square root of a distance that is 0: its gradient is not a number",
    "LossNotFinite",
    "ExplodingTensor",
    source="github.com/pytorch/pytorch/issues/6394; github.com/akanazawa/cmr/issues/11",
)
def square_root_of_zero(hook):
    points, labels = clusters(count=600)
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 8))
    criterion, optimizer = nn.HingeEmbeddingLoss(), torch.optim.Adam(model.parameters(), lr=1e-3)
    hook.register_module(model)
    hook.register_loss(criterion)
    hook.set_mode(modes.TRAIN)
    for _ in range(8):
        for batch, kinds in loader(points, labels):
            other = torch.randint(len(points), (len(batch),))
            other[0] = (points == batch[0]).all(1).nonzero()[0]
            optimizer.zero_grad()
            left, right = model(torch.cat([batch, points[other]])).chunk(2)
            distance = (left - right).pow(2).sum(1).sqrt()
            criterion(distance, torch.where(kinds == labels[other], 1, -1)).backward()
            optimizer.step()


@faulty(
    "predictions of shape (N, 1) and targets of shape (N,): MSELoss compares each with all",
    "LossNotDecreasing",
    source="github.com/pytorch/pytorch/issues/16045; github.com/jsboige/CoursIA/pull/926",
)
def mean_squared_error_broadcasts(hook):
    import warnings

    warnings.filterwarnings("ignore", message="Using a target size")
    inputs, targets = surface()
    train, validation = split((inputs, targets.squeeze(1)))
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
    fit(hook, model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=3e-3), train, validation, epochs=6)
