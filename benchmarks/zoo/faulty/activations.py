"""Units that are dead or saturated, and weights that begin in the wrong place."""

from __future__ import annotations

import torch
from torch import nn

from zoo.data import clusters, digits, split, surface
from zoo.loop import fit
from zoo.training import faulty


def _mlp(activation, depth=3, inputs=64, width=64, outputs=10):
    layers = [nn.Linear(inputs, width), activation()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def _train_on_digits(hook, model, lr=0.05):
    train, validation = split(digits(flat=True))
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=lr), train, validation)


@faulty(
    "biases of -10: no ReLU ever fires",
    "DeadRelu",
    source="github.com/keras-team/keras/issues/7057; Maas et al. 2013, Rectifier nonlinearities",
)
def relu_with_negative_bias(hook):
    model = _mlp(nn.ReLU)
    for layer in (model[0], model[2], model[4]):
        nn.init.constant_(layer.bias, -10.0)
    _train_on_digits(hook, model)


@faulty(
    "a deep and narrow ReLU network is dead when it is born",
    "DeadRelu",
    source="Lu et al. 2019, Dying ReLU and initialization, arXiv 1903.06733",
)
def deep_narrow_relu(hook):
    train, validation = split(surface(features=2 + 2))
    model = _mlp(nn.ReLU, depth=24, inputs=4, width=2, outputs=1)
    fit(hook, model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.05), train, validation)


@faulty(
    "a ReLU behind the last layer of a regression whose targets are negative: all outputs are 0",
    "DeadRelu",
    source="github.com/ProteomicsML/ProteomicsML/pull/203 (the network returned constantly 0)",
)
def relu_on_the_output(hook):
    inputs, targets = surface()
    train, validation = split((inputs, -torch.exp(targets / 2) * 3))
    model = nn.Sequential(*_mlp(nn.Tanh, depth=2, inputs=8, outputs=1), nn.ReLU())
    fit(hook, model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=0.01), train, validation)


@faulty(
    "a first step on inputs up to 255 with a large learning rate knocks the ReLUs out",
    "DeadRelu",
    source="CS231n notes, Neural Networks 1, on dying ReLUs; github.com/keras-team/keras/issues/7057",
)
def relu_killed_by_a_large_step(hook):
    train, validation = split(digits(flat=True, scale="bytes"))
    model = _mlp(nn.ReLU)
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.05), train, validation)


@faulty(
    "weights from a standard normal saturate every tanh",
    "SaturatedActivation",
    source="CS231n notes, Neural Networks 2, weight initialization; github.com/floodsung/DDPG/issues/6",
)
def tanh_with_large_weights(hook):
    model = _mlp(nn.Tanh, width=512)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=1.0)
    _train_on_digits(hook, model, lr=0.01)


@faulty(
    "features in their raw units (thousands) drive every sigmoid into saturation",
    "SaturatedActivation",
    source="LeCun et al. 1998, Efficient BackProp, 4.3; theorangeduck.com 2017, My neural network isn't working",
)
def sigmoid_on_raw_units(hook):
    points, labels = clusters()
    train, validation = split((points * 3000 + 20000, labels))
    model = _mlp(nn.Sigmoid, depth=1, inputs=20, outputs=4)
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.05), train, validation)


@faulty(
    "all weights and biases are 0",
    "AllZero",
    "VanishingGradient",
    "PoorWeightInitialization",
    source="CS231n notes, all zero initialization; github.com/wagonhelm/NaNmnist/issues/2",
)
def weights_all_zero(hook):
    model = _mlp(nn.ReLU)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    _train_on_digits(hook, model)


@faulty(
    "all weights are 0.01: the units of a layer stay copies of each other",
    "PoorWeightInitialization",
    source="Goodfellow, Bengio and Courville 2016, Deep Learning, 8.4 (symmetry)",
)
def weights_all_alike(hook):
    model = _mlp(nn.ReLU)
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.01)
    _train_on_digits(hook, model)


@faulty(
    "weights with a standard deviation of 1 in a ReLU network: the signal grows eightyfold in three layers",
    "PoorWeightInitialization",
    source="Glorot and Bengio 2010; He et al. 2015",
)
def relu_with_large_weights(hook):
    model = _mlp(nn.ReLU, depth=4)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=1.0)
    _train_on_digits(hook, model, lr=1e-3)
