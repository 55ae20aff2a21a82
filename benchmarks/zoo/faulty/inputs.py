"""Inputs that are wrong."""

from __future__ import annotations

import torch
from torch import nn

from sagehound.debug.modes import modes
from zoo.data import clusters, digits, loader, sentences, shapes, split
from zoo.loop import evaluate, fit
from zoo.training import faulty


def _cnn(channels=1, size=8, classes=10):
    flat = 16 * (size - 2) ** 2
    return nn.Sequential(nn.Conv2d(channels, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(flat, classes))


def _train(hook, model, data, train=1200, epochs=4):
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3)
    fit(hook, model, criterion, optimizer, *split(data, train=train), epochs)


@faulty(
    "images are fed as bytes, 0 to 255",
    "CheckInputImages",
    source="theorangeduck.com 2017, You forgot to normalize; github.com/soumith/imagenet-multiGPU.torch/pull/18",
)
def images_from_0_to_255(hook):
    _train(hook, _cnn(), digits(scale="bytes"))


@faulty(
    "RGB images are scaled by 1/255 and not normalised, with a bright background",
    "CheckInputImages",
    source="LeCun et al. 1998, Efficient BackProp, 4.3; pytorch.org/vision, the normalisation that its models expect",
)
def bright_images_not_centred(hook):
    images, labels, _ = shapes()
    _train(hook, _cnn(3, 16, 3), (images * 0.05 + 0.85, labels), train=700)


@faulty(
    "the loader returns black images (a failed read that nobody noticed)",
    "AllZero",
    source="Slav Ivanov 2017, 37 reasons why your neural network is not working (feeding all zeroes by mistake)",
)
def images_all_black(hook):
    images, labels = digits()
    _train(hook, _cnn(), (torch.zeros_like(images), labels))


@faulty(
    "a table with missing values is read as NaN",
    "LossNotFinite",
    "ExplodingTensor",
    source="github.com/Nixtla/neuralforecast/issues/186; github.com/ratschlab/DeepSpot/issues/9",
)
def missing_values(hook):
    points, labels = clusters()
    points[torch.rand_like(points) < 0.0005] = float("nan")
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 4))
    _train(hook, model, (points, labels))


@faulty(
    "sentences of about 15 words are padded to 200 tokens",
    "NLPSequenceRatio",
    source="github.com/yoyolicoris/music-spectrogram-diffusion-pytorch/issues/35 (90 % of the tokens were padding)",
)
def mostly_padding(hook):
    tokens, labels = sentences()
    padded = torch.zeros(len(tokens), 200, dtype=torch.long)
    padded[:, : tokens.shape[1]] = tokens

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(100, 16)
            self.head = nn.Linear(16, 2)

        def forward(self, x):
            return self.head(self.embedding(x).mean(1))

    _train(hook, Net(), (padded, labels), train=900)


@faulty(
    "the validation loader is built from the training set",
    "DataLeak",
    source="github.com/marin-community/marin/pull/2700; Kaufman et al. 2012, Leakage in data mining",
)
def validation_is_training(hook):
    train, _ = split(digits())
    model = _cnn()
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3)
    leaked = loader(*train.dataset.tensors, batch=64, shuffle=False)
    fit(hook, model, criterion, optimizer, train, leaked, epochs=4)


@faulty(
    "rare samples were duplicated before the split, so copies are on both sides",
    "DataLeak",
    source="github.com/MakazhanAlpamys/Soup/issues/680; Kapoor and Narayanan 2023",
)
def duplicated_before_the_split(hook):
    images, labels = digits(count=750)
    order = torch.randperm(1500)
    _train(hook, _cnn(), (images.repeat(2, 1, 1, 1)[order], labels.repeat(2)[order]))


@faulty(
    "next(iter(loader)) in the loop: an unshuffled loader gives the same batch at every step",
    "Overfit",
    source="Slav Ivanov 2017, 37 reasons why your neural network is not working (the same batch over and over)",
)
def same_batch_again_and_again(hook):
    train, validation = split(digits())
    images, labels = train.dataset.tensors
    first = loader(images, labels, shuffle=False)
    model, criterion = _cnn(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    hook.register_module(model)
    hook.register_loss(criterion)
    for _ in range(5):
        hook.set_mode(modes.TRAIN)
        model.train()
        for _ in range(len(first)):
            inputs, targets = next(iter(first))
            optimizer.zero_grad()
            criterion(model(inputs), targets).backward()
            optimizer.step()
        evaluate(hook, model, criterion, validation)
