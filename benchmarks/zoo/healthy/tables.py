"""Tables: regressions and classifiers on features."""

from __future__ import annotations

import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from torch import nn

from zoo.data import clusters, split, surface
from zoo.loop import fit
from zoo.training import healthy


def _real(load, dtype=torch.long):
    """A data set of scikit-learn, shuffled and standardised."""
    points, targets = load(return_X_y=True)
    order = torch.randperm(len(points))
    inputs = torch.tensor(points, dtype=torch.float32)[order]
    return (inputs - inputs.mean(0)) / inputs.std(0), torch.tensor(targets).to(dtype)[order]


@healthy
def linear_regression(hook):
    inputs = torch.randn(1500, 5)
    targets = inputs @ torch.tensor([[1.0], [-2.0], [0.5], [0.0], [3.0]]) + 1 + torch.randn(1500, 1) * 0.3
    model = nn.Linear(5, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    fit(hook, model, nn.MSELoss(), optimizer, *split((inputs, targets)), epochs=4)


@healthy
def regression_mlp(hook):
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    fit(hook, model, nn.MSELoss(), optimizer, *split(surface(3000), train=2400), epochs=5)


@healthy
def regression_with_huber_loss_and_silu(hook):
    model = nn.Sequential(nn.Linear(8, 64), nn.SiLU(), nn.LayerNorm(64), nn.Linear(64, 32), nn.SiLU(), nn.Linear(32, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    fit(hook, model, nn.HuberLoss(), optimizer, *split(surface(3000, noise=0.3), train=2400), epochs=4)


@healthy
def regression_on_diabetes(hook):
    inputs, raw = _real(load_diabetes, torch.float32)
    targets = ((raw - raw.mean()) / raw.std()).unsqueeze(1)
    model = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-3)
    fit(hook, model, nn.MSELoss(), optimizer, *split((inputs, targets), train=350, batch=16), epochs=6)


@healthy
def logistic_regression_on_breast_cancer(hook):
    inputs, labels = _real(load_breast_cancer, torch.float32)
    model = nn.Linear(30, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    fit(hook, model, nn.BCEWithLogitsLoss(), optimizer, *split((inputs, labels.unsqueeze(1)), 450, 16), epochs=6)


@healthy
def classifier_on_wine(hook):
    model = nn.Sequential(nn.Linear(13, 16), nn.ELU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    fit(hook, model, nn.CrossEntropyLoss(), optimizer, *split(_real(load_wine), 140, 10), epochs=10)


@healthy
def multi_label(hook):
    inputs = torch.randn(1500, 12)
    labels = (inputs @ torch.randn(12, 5) + torch.randn(1500, 5) > 0).float()
    model = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 5))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    fit(hook, model, nn.BCEWithLogitsLoss(), optimizer, *split((inputs, labels)), epochs=5)


@healthy
def classes_four_to_one_with_weights(hook):
    points, labels = clusters(count=3000, classes=2, spread=2.0)
    keep = (labels == 0) | (torch.rand(len(labels)) < 0.25)
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 2))
    criterion = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 4.0]))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    fit(hook, model, criterion, optimizer, *split((points[keep][:1700], labels[keep][:1700]), 1400), epochs=4)


@healthy
def categories_and_numbers(hook):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(12, 6)
            self.body = nn.Sequential(nn.Linear(6 + 7, 48), nn.ReLU(), nn.Linear(48, 1))

        def forward(self, row):
            return self.body(torch.cat([self.embedding(row[:, 0].long()), row[:, 1:]], 1))

    inputs, targets = surface(3000, features=7)
    kinds = torch.randint(12, (3000, 1))
    data = torch.cat([kinds.float(), inputs], 1), targets + torch.randn(12)[kinds]
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    fit(hook, model, nn.L1Loss(), optimizer, *split(data, train=2400), epochs=5)
