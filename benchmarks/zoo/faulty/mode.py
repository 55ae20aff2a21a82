"""Train and eval mode confused."""

from __future__ import annotations

import torch
from torch import nn

from sagehound.debug.modes import modes
from zoo.data import digits, split
from zoo.loop import evaluate, train_epoch
from zoo.training import faulty


def _dropout_net():
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))


def _norm_net():
    body = [nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(256, 10))


def _start(hook, model):
    criterion = nn.CrossEntropyLoss()
    hook.register_module(model)
    hook.register_loss(criterion)
    return criterion, torch.optim.Adam(model.parameters(), lr=1e-3)


@faulty(
    "model.eval() in the validation and never model.train() again",
    "TrainEvalMode",
    source="github.com/tk-rusch/coRNN/issues/1; github.com/shubhamagarwal92/mmd/issues/14",
)
def trains_in_eval_mode(hook):
    train, validation = split(digits())
    model = _norm_net()
    criterion, optimizer = _start(hook, model)
    model.train()
    for _ in range(5):
        hook.set_mode(modes.TRAIN)
        for inputs, labels in train:
            optimizer.zero_grad()
            criterion(model(inputs), labels).backward()
            optimizer.step()
        evaluate(hook, model, criterion, validation)


def _validates_in_train_mode(hook, model, flat):
    train, validation = split(digits(flat=flat))
    criterion, optimizer = _start(hook, model)
    for _ in range(5):
        train_epoch(hook, model, criterion, optimizer, train)
        hook.set_mode(modes.EVAL)
        with torch.no_grad():
            for inputs, labels in validation:
                criterion(model(inputs), labels)


@faulty(
    "no model.eval(): dropout is active in the validation",
    "TrainEvalMode",
    source="github.com/ipolharvard/ethos-ares/issues/20; github.com/udacity/deep-learning-v2-pytorch/issues/3",
)
def dropout_in_validation(hook):
    _validates_in_train_mode(hook, _dropout_net(), flat=True)


@faulty(
    "no model.eval(): batch norm takes its statistics from the validation's batches",
    "TrainEvalMode",
    source="github.com/princeton-vl/pytorch_stacked_hourglass/issues/44; github.com/nshaud/DeepHyperX/issues/51",
)
def batch_norm_learns_in_validation(hook):
    _validates_in_train_mode(hook, _norm_net(), flat=False)


@faulty(
    "nn.Dropout is made inside forward: model.eval() never reaches it",
    "TrainEvalMode",
    source="github.com/yangze0930/NTS-Net/issues/14; github.com/pytorch/pytorch/issues/11999",
)
def dropout_made_in_forward(hook):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.head = nn.Linear(64, 128), nn.Linear(128, 10)

        def forward(self, x):
            return self.head(nn.Dropout(0.5)(torch.relu(self.hidden(x))))

    train, validation = split(digits(flat=True))
    model = Net()
    criterion, optimizer = _start(hook, model)
    for _ in range(5):
        train_epoch(hook, model, criterion, optimizer, train)
        evaluate(hook, model, criterion, validation)
