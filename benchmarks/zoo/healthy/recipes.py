"""Ways to train: schedules, accumulation, mixed precision, early stopping, smoothing, mixing, distilling."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, StepLR

from sagehound.debug.modes import modes
from zoo.data import clusters, digits, split, waves
from zoo.loop import evaluate, fit, train_epoch
from zoo.training import healthy


def _cnn():
    return nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10))


@healthy
def sgd_with_momentum_and_steps(hook):
    model = _cnn()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True, weight_decay=5e-4)
    fit(hook, model, nn.CrossEntropyLoss(), optimizer, *split(digits()), 6, scheduler=StepLR(optimizer, 2, gamma=0.3))


@healthy
def rmsprop_with_dropout(hook):
    layers = [nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.3)]
    model = nn.Sequential(*layers, nn.Linear(64, 10))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    fit(hook, model, nn.CrossEntropyLoss(), optimizer, *split(digits(flat=True)), epochs=6)


@healthy
def adamw_with_warm_up_and_cosine(hook):
    train, validation = split(digits())
    model, criterion, steps = _cnn(), nn.CrossEntropyLoss(), 6 * 37
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    ramp = LambdaLR(optimizer, lambda s: min(1.0, (s + 1) / 20) * (0.55 + 0.45 * math.cos(math.pi * s / steps)))
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(6):
        model.train()
        hook.set_mode(modes.TRAIN)
        for inputs, labels in train:
            optimizer.zero_grad()
            criterion(model(inputs), labels).backward()
            optimizer.step()
            ramp.step()
        evaluate(hook, model, criterion, validation)


@healthy
def gradient_accumulation(hook):
    train, validation = split(digits(), batch=8)
    model, criterion = _cnn(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(4):
        hook.set_mode(modes.TRAIN)
        model.train()
        for number, (inputs, labels) in enumerate(train, 1):
            (criterion(model(inputs), labels) / 4).backward()
            if number % 4 == 0:
                optimizer.step()
                optimizer.zero_grad()
        evaluate(hook, model, criterion, validation)


@healthy
def mixed_precision_bfloat16(hook):
    train, validation = split(digits())
    model, criterion = _cnn(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(4):
        hook.set_mode(modes.TRAIN)
        model.train()
        for inputs, labels in train:
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
        evaluate(hook, model, criterion, validation)


@healthy
def clipped_at_one(hook):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = nn.LSTM(1, 32, batch_first=True), nn.Linear(32, 3)

        def forward(self, x):
            return self.head(self.lstm(x)[0][:, -1])

    train, validation = split(waves(), train=700)
    model, criterion = Net(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(8):
        hook.set_mode(modes.TRAIN)
        model.train()
        for inputs, labels in train:
            optimizer.zero_grad()
            criterion(model(inputs), labels).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        evaluate(hook, model, criterion, validation)


@healthy
def label_smoothing(hook):
    model = _cnn()
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    fit(hook, model, criterion, torch.optim.Adam(model.parameters(), lr=1e-3), *split(digits()), epochs=5)


@healthy
def mixup(hook):
    train, validation = split(digits())
    model, criterion = _cnn(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(5):
        hook.set_mode(modes.TRAIN)
        model.train()
        for inputs, labels in train:
            share, order = float(torch.distributions.Beta(0.4, 0.4).sample()), torch.randperm(len(inputs))
            hot = F.one_hot(labels, 10).float()
            optimizer.zero_grad()
            mixed = share * inputs + (1 - share) * inputs[order]
            criterion(model(mixed), share * hot + (1 - share) * hot[order]).backward()
            optimizer.step()
        evaluate(hook, model, criterion, validation)


@healthy
def early_stopping(hook):
    train, validation = split(clusters(spread=1.5))
    model, criterion = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 4)), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    hook.register_module(model)
    hook.register_loss(criterion)
    best, patience = float("inf"), 0
    for _ in range(40):
        train_epoch(hook, model, criterion, optimizer, train)
        loss = evaluate(hook, model, criterion, validation)
        best, patience = (loss, 0) if loss < best - 1e-3 else (best, patience + 1)
        if patience == 2:
            break


@healthy
def functional_losses_only(hook):
    train, validation = split(digits(flat=True))
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), nn.LogSoftmax(dim=1))
    hook.register_module(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(5):
        hook.set_mode(modes.TRAIN)
        model.train()
        for inputs, labels in train:
            optimizer.zero_grad()
            F.nll_loss(model(inputs), labels).backward()
            optimizer.step()
        evaluate(hook, model, F.nll_loss, validation)


@healthy
def compiled_model(hook):
    """The back end that needs no compiler on the machine."""
    model = torch.compile(_cnn(), backend="aot_eager")
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), *split(digits()), epochs=4)
