"""Learning rates that are too large, too small, or gone."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR

from sagehound.debug.modes import modes
from zoo.data import clusters, digits, loader, split, surface
from zoo.loop import evaluate, fit
from zoo.training import faulty


def _cnn():
    return nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10))


@faulty(
    "SGD with a learning rate of 1 on a regression: the weights run away to infinity",
    "LossNotFinite",
    "ExplodingTensor",
    "LearningRate",
    source="github.com/facebookresearch/detr/issues/285; github.com/facebookresearch/maskrcnn-benchmark/issues/295",
)
def learning_rate_diverges(hook):
    train, validation = split(surface(features=40))
    model = nn.Sequential(nn.Linear(40, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
    fit(hook, model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=1.0), train, validation)


@faulty(
    "Adam with a learning rate of 1: the loss leaps and stays above where it began",
    "LearningRate",
    source="Bengio 2012, Practical recommendations for gradient-based training of deep architectures, 3.1.1",
)
def adam_with_rate_one(hook):
    train, validation = split(digits())
    model = _cnn()
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1.0), train, validation)


@faulty(
    "SGD with a learning rate of 1e-9: nothing moves",
    "LearningRate",
    "WeightUpdateRatio",
    source="theorangeduck.com 2017, My neural network isn't working, You used an incorrect learning rate",
)
def learning_rate_tiny(hook):
    train, validation = split(digits())
    model = _cnn()
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=1e-9), train, validation)


@faulty(
    "a schedule meant for epochs is stepped at every batch: the learning rate is gone after twenty",
    "LearningRate",
    source="github.com/pytorch/vision/issues/2007 (Learning rate become 0)",
)
def schedule_steps_every_batch(hook):
    train, validation = split(digits())
    model = _cnn()
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.01)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.5)
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(6):
        hook.set_mode(modes.TRAIN)
        model.train()
        for inputs, labels in train:
            optimizer.zero_grad()
            criterion(model(inputs), labels).backward()
            optimizer.step()
            scheduler.step()
        evaluate(hook, model, criterion, validation)


@faulty(
    "no zero_grad: every step takes the sum of all gradients so far",
    "LossNotDecreasing",
    source="github.com/pytorch/pytorch/issues/47175; github.com/yastrebksv/TennisCourtDetector/issues/7",
)
def missing_zero_grad(hook):
    train, validation = split(digits())
    model = _cnn()
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.05)
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(6):
        hook.set_mode(modes.TRAIN)
        model.train()
        for inputs, labels in train:
            criterion(model(inputs), labels).backward()
            optimizer.step()
        evaluate(hook, model, criterion, validation)


@faulty(
    "the loss has the wrong sign: it is maximised",
    "LossNotDecreasing",
    source="github.com/11-626/Deep-INFOMAX/issues/1; github.com/haebeom-lee/dropmax/issues/2",
)
def loss_is_maximised(hook):
    inputs, labels = clusters()
    model = nn.Sequential(nn.Linear(20, 64), nn.Tanh(), nn.Linear(64, 4))
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.01)
    hook.register_module(model)
    hook.register_loss(criterion)
    hook.set_mode(modes.TRAIN)
    for _ in range(5):
        for batch, target in loader(inputs, labels):
            optimizer.zero_grad()
            loss = -criterion(model(batch), target)
            loss.backward()
            optimizer.step()
