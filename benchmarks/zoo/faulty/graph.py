"""Parameters that never learn: held by no optimizer, or cut off from the loss."""

from __future__ import annotations

import torch
from torch import nn

from sagehound.debug.modes import modes
from zoo.data import digits, split
from zoo.loop import evaluate, fit
from zoo.training import faulty


class _TwoParts(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.encoder(x))


@faulty(
    "the model is made anew after the optimizer, which holds the parameters of the old one",
    "OptimizerParameters",
    source="github.com/spro/practical-pytorch/issues/9; github.com/pytorch/pytorch/issues/14467",
)
def optimizer_of_another_model(hook):
    train, validation = split(digits(flat=True))
    optimizer = torch.optim.Adam(_TwoParts().parameters(), lr=1e-3)
    fit(hook, _TwoParts(), nn.CrossEntropyLoss(), optimizer, train, validation)


@faulty(
    "the optimizer was given the head alone, and the encoder is new and should train",
    "OptimizerParameters",
    source="github.com/pytorch/pytorch/issues/14467; github.com/VIPL-SLP/VAC_CSLR/issues/42",
)
def optimizer_lacks_the_encoder(hook):
    train, validation = split(digits(flat=True))
    model = _TwoParts()
    optimizer = torch.optim.Adam(model.head.parameters(), lr=1e-3)
    fit(hook, model, nn.CrossEntropyLoss(), optimizer, train, validation)


@faulty(
    "hidden layers in a Python list are no part of the model: nothing trains them",
    "OptimizerParameters",
    source="github.com/pytorch/pytorch/issues/59925; github.com/pytorch/pytorch/issues/72580",
)
def layers_in_a_list(hook):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = [nn.Linear(64, 64), nn.Linear(64, 64)]
            self.head = nn.Linear(64, 10)

        def forward(self, x):
            for layer in self.hidden:
                x = torch.relu(layer(x))
            return self.head(x)

    train, validation = split(digits(flat=True))
    model = Net()
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), train, validation)


@faulty(
    "features are detached before the head, so the encoder gets no gradient",
    "FrozenLayer",
    source="github.com/dragen1860/IntroVAE-Pytorch/issues/3; github.com/lucidrains/CoCa-pytorch/issues/6",
)
def detached_encoder(hook):
    class Net(_TwoParts):
        def forward(self, x):
            return self.head(self.encoder(x).detach())

    train, validation = split(digits(flat=True))
    model = Net()
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), train, validation)


@faulty(
    "the loss is wrapped in a new tensor, which cuts it off from the model",
    "FrozenLayer",
    "UnchangedTensor",
    source="github.com/ronghuaiyang/arcface-pytorch/issues/56 (loss.requires_grad = True)",
)
def loss_wrapped_anew(hook):
    train, validation = split(digits(flat=True))
    model, criterion = _TwoParts(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(5):
        hook.set_mode(modes.TRAIN)
        model.train()
        for inputs, labels in train:
            optimizer.zero_grad()
            loss = torch.tensor(criterion(model(inputs), labels).item(), requires_grad=True)
            loss.backward()
            optimizer.step()
        evaluate(hook, model, criterion, validation)


@faulty(
    "a branch of the network is built and never used in forward",
    "FrozenLayer",
    source="github.com/state-spaces/s4/issues/26; github.com/vita-epfl/UniTraj/issues/59",
)
def branch_never_used(hook):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.wide, self.deep = nn.Linear(64, 64), nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))
            self.head = nn.Linear(64, 10)

        def forward(self, x):
            return self.head(torch.relu(self.wide(x)))

    train, validation = split(digits(flat=True))
    model = Net()
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), train, validation)
