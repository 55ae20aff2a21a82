"""Gradients that vanish, explode or are cut away."""

from __future__ import annotations

import torch
from torch import nn

from sagehound.debug.modes import modes
from zoo.data import digits, split, waves
from zoo.loop import evaluate, fit
from zoo.training import faulty


@faulty(
    "twelve sigmoid layers: each shrinks the gradient to a quarter or less",
    "VanishingGradient",
    source="Hochreiter 1991; Glorot and Bengio 2010, The difficulty of training deep feedforward networks",
)
def deep_sigmoid_mlp(hook):
    train, validation = split(digits(flat=True))
    layers = [nn.Sequential(nn.Linear(64, 64), nn.Sigmoid()) for _ in range(12)]
    model = nn.Sequential(*layers, nn.Linear(64, 10))
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), train, validation)


@faulty(
    "small random numbers as weights of a deep tanh network: signal and gradient shrink layer by layer",
    "VanishingGradient",
    "PoorWeightInitialization",
    source="He et al. 2015, Delving deep into rectifiers; CS231n notes, Neural Networks 2, weight initialization",
)
def deep_tanh_tiny_weights(hook):
    train, validation = split(digits(flat=True))
    model = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.Tanh()) for _ in range(8)], nn.Linear(64, 10))
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.01)
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), train, validation)


@faulty(
    "a recurrent network with large recurrent weights: the gradient explodes through time",
    "LossNotFinite",
    "ExplodingTensor",
    source="Pascanu et al. 2013, On the difficulty of training RNNs; discuss.pytorch.org/t/nan-loss-in-rnn-model/655",
)
def exploding_rnn(hook):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.RNN(1, 32, nonlinearity="relu", batch_first=True)
            self.head = nn.Linear(32, 3)
            nn.init.normal_(self.rnn.weight_hh_l0, std=0.6)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    train, validation = split(waves(900, length=60), train=700)
    model = Net()
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), train, validation)


@faulty(
    "gradients are clipped to a norm of 0.001, so that nothing moves",
    "GradientClipping",
    source="github.com/wandb/senpai/pull/978 (every batch was clipped); github.com/facebookresearch/detr/issues/198",
)
def clipped_to_nothing(hook):
    train, validation = split(digits())
    model = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 10))
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1)
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(5):
        hook.set_mode(modes.TRAIN)
        model.train()
        for inputs, labels in train:
            optimizer.zero_grad()
            criterion(model(inputs), labels).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.001)
            optimizer.step()
        evaluate(hook, model, criterion, validation)


@faulty(
    "the discriminator wins, and the saturating loss leaves the generator without gradient",
    "VanishingGradient",
    source="Goodfellow et al. 2014, section 3; Arjovsky and Bottou 2017, Towards principled methods for training GANs",
)
def gan_with_saturating_loss(hook):
    generator = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
    discriminator = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(), nn.Linear(64, 64), nn.LeakyReLU(), nn.Linear(64, 1))
    hook.register_module(generator)
    slow = torch.optim.SGD(generator.parameters(), lr=1e-4)
    fast = torch.optim.Adam(discriminator.parameters(), lr=1e-2)
    criterion = nn.BCEWithLogitsLoss()
    hook.register_loss(criterion)
    hook.set_mode(modes.TRAIN)
    for _ in range(300):
        real, fake = torch.randn(64, 2) + 20, generator(torch.randn(64, 8))
        fast.zero_grad()
        real_loss = criterion(discriminator(real), torch.ones(64, 1))
        (real_loss + criterion(discriminator(fake.detach()), torch.zeros(64, 1))).backward()
        fast.step()
        slow.zero_grad()
        torch.log(1 - torch.sigmoid(discriminator(fake)) + 1e-8).mean().backward()
        slow.step()


@faulty(
    "the network is trained in half precision without loss scaling: squares overflow 65504",
    "LossNotFinite",
    "ExplodingTensor",
    source="Micikevicius et al. 2018, Mixed precision training; github.com/NVIDIA/apex/issues/318",
)
def half_precision_overflows(hook):
    inputs, labels = digits(flat=True, scale="bytes")
    train, validation = split((inputs.half(), labels))
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)).half()
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), train, validation, 2)
