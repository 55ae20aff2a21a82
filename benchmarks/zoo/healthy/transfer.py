"""Training that begins with something trained."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from sagehound.debug.modes import modes
from zoo.data import digits, loader, split
from zoo.loop import evaluate, fit
from zoo.training import healthy


class _Net(nn.Module):
    """A backbone and a head, as torchvision's models name them."""

    def __init__(self, classes):
        super().__init__()
        body = [nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU()]
        self.backbone = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(32, classes)

    def forward(self, x):
        return self.fc(self.backbone(x))


def _data():
    images, labels = digits()
    return (images[labels < 5], labels[labels < 5]), (images[labels >= 5], labels[labels >= 5] - 5)


def _pretrained(data):
    model = _Net(5)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(4):
        for inputs, labels in loader(*data):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
    return model


@healthy
def frozen_backbone(hook):
    before, data = _data()
    model = _pretrained(before)
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.fc = nn.Linear(32, 5)
    optimizer = torch.optim.Adam(model.fc.parameters(), lr=1e-2)
    fit(hook, model, nn.CrossEntropyLoss(), optimizer, *split(data, train=600, batch=16), epochs=5)


@healthy
def fine_tuned_with_two_rates(hook):
    before, data = _data()
    model = _pretrained(before)
    model.fc = nn.Linear(32, 5)
    groups = [{"params": model.backbone.parameters(), "lr": 2e-4}, {"params": model.fc.parameters(), "lr": 1e-2}]
    optimizer = torch.optim.AdamW(groups)
    fit(hook, model, nn.CrossEntropyLoss(), optimizer, *split(data, train=600, batch=16), epochs=5)


@healthy
def distillation(hook):
    before, _ = _data()
    teacher = _pretrained(before).eval()
    student = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 5))
    train, validation = split(before, train=600, batch=16)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(student.parameters(), lr=2e-3)
    hook.register_module(student)
    hook.register_loss(criterion)
    for _ in range(5):
        hook.set_mode(modes.TRAIN)
        student.train()
        for inputs, labels in train:
            with torch.no_grad():
                soft = F.softmax(teacher(inputs) / 2, dim=1)
            optimizer.zero_grad()
            scores = student(inputs)
            gap = F.kl_div(F.log_softmax(scores / 2, dim=1), soft, reduction="batchmean") * 4
            (0.5 * criterion(scores, labels) + 0.5 * gap).backward()
            optimizer.step()
        evaluate(hook, student, criterion, validation)


@healthy
def average_of_the_weights(hook):
    train, validation = split(digits())
    model, criterion = _Net(10), nn.CrossEntropyLoss()
    average = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(5):
        hook.set_mode(modes.TRAIN)
        model.train()
        for inputs, labels in train:
            optimizer.zero_grad()
            criterion(model(inputs), labels).backward()
            optimizer.step()
            with torch.no_grad():
                for mean, new in zip(average.parameters(), model.parameters(), strict=True):
                    mean.lerp_(new, 0.1)
        evaluate(hook, model, criterion, validation)
