"""Trainings that learn their training set by heart, go on too long, or cannot learn at all."""

from __future__ import annotations

import torch
from torch import nn

from zoo.data import clusters, digits, loader, split
from zoo.loop import fit
from zoo.training import faulty


def _mlp(features=64, width=256, classes=10):
    layers = [nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, classes)]
    return nn.Sequential(*layers)


@faulty(
    "a large network on 64 samples",
    "Overfit",
    source="Srivastava et al. 2014, Dropout; github.com/karpathy/nanoGPT/issues/493",
)
def sixty_four_samples(hook):
    points, labels = clusters(count=400, features=64, classes=10, spread=2.5)
    train, validation = loader(points[:64], labels[:64], 16), loader(points[64:], labels[64:], 64, shuffle=False)
    model = _mlp()
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3)
    fit(hook, model, criterion, optimizer, train, validation, epochs=40)


@faulty(
    "random labels are learned by heart",
    "Overfit",
    source="Zhang et al. 2017, Understanding deep learning requires rethinking generalization",
)
def random_labels_by_heart(hook):
    images, labels = digits(count=400, flat=True)
    train, validation = split((images, labels[torch.randperm(len(labels))]), train=300)
    model = _mlp()
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=2e-3)
    fit(hook, model, criterion, optimizer, train, validation, epochs=30)


@faulty(
    "the training goes on for 50 epochs after the validation loss was at its best",
    "Overtraining",
    source="Prechelt 1998, Early stopping - but when?; github.com/codetiger/ThiruvalluvarGPT/issues/4",
)
def fifty_epochs_too_many(hook):
    points, labels = clusters(count=900, features=20, classes=4, spread=2.0)
    train, validation = split((points, labels), train=320)
    model = _mlp(20, 128, 4)
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3)
    fit(hook, model, criterion, optimizer, train, validation, epochs=55)


@faulty(
    "a converged model is trained on and on, without any gain",
    "Overtraining",
    source="Prechelt 1998, Early stopping - but when?",
)
def trained_on_after_convergence(hook):
    points, labels = clusters(count=900, classes=3, spread=0.4)
    train, validation = split((points, labels), train=600)
    model = nn.Linear(20, 3)
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.5)
    fit(hook, model, criterion, optimizer, train, validation, epochs=25)


@faulty(
    "a linear model on exclusive or, which no line divides",
    "LossNotDecreasing",
    source="Minsky and Papert 1969, Perceptrons",
)
def linear_model_on_exclusive_or(hook):
    points = torch.randn(1500, 2)
    train, validation = split((points, ((points[:, 0] > 0) ^ (points[:, 1] > 0)).long()))
    model = nn.Linear(2, 2)
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.01)
    fit(hook, model, criterion, optimizer, train, validation, epochs=6)


@faulty(
    "weight decay of 1 in SGD holds all weights at 0",
    "LossNotDecreasing",
    source="Krogh and Hertz 1992, A simple weight decay can improve generalization; arXiv 1810.12281",
)
def weight_decay_of_one(hook):
    train, validation = split(digits(flat=True))
    model = _mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1.0)
    fit(hook, model, nn.CrossEntropyLoss(), optimizer, train, validation, epochs=5)
