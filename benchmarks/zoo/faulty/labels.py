"""Labels that are wrong."""

from __future__ import annotations

import contextlib

import torch
from torch import nn

from zoo.data import clusters, digits, split
from zoo.loop import fit
from zoo.training import faulty


def _train(hook, data, outputs=10, epochs=5, lr=1e-3):
    train, validation = split(data)
    model = nn.Sequential(nn.Linear(data[0].shape[1], 64), nn.ReLU(), nn.Linear(64, outputs))
    fit(hook, model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=lr), train, validation, epochs)


@faulty(
    "labels from 1 to 10 for ten outputs: the loss raises IndexError at the first 10",
    "Labels",
    source="github.com/pytorch/pytorch/issues/15666; github.com/milesial/Pytorch-UNet/issues/291",
)
def labels_from_one(hook):
    images, labels = digits(flat=True)
    with contextlib.suppress(IndexError):
        _train(hook, (images, labels + 1))


@faulty(
    "a slip in preparing the data gives every sample the same label",
    "Labels",
    source="github.com/Smadx/USTC-ML24-Fall/issues/35; github.com/jakeret/tf_unet/issues/201",
)
def labels_all_alike(hook):
    images, labels = digits(flat=True)
    _train(hook, (images, torch.ones_like(labels)))


@faulty(
    "inputs were shuffled and labels were not",
    "LossNotDecreasing",
    source="github.com/mlcommons/GaNDLF/pull/870; github.com/DrexelChatbotGroup/DrexelChatbot/issues/15",
)
def labels_of_other_inputs(hook):
    images, labels = digits(flat=True)
    _train(hook, (images[torch.randperm(len(images))], labels))


@faulty(
    "99 of 100 samples are of one class, and nothing balances them",
    "ClassImbalance",
    source="Buda et al. 2018, The class imbalance problem in CNNs; github.com/abhuse/polyloss-pytorch/issues/5",
)
def one_class_in_a_hundred(hook):
    points, labels = clusters(count=12000, classes=2, spread=2.0)
    keep = (labels == 0) | (torch.rand(len(labels)) < 0.01)
    _train(hook, (points[keep][:3000], labels[keep][:3000]), outputs=2)


@faulty(
    "a long tail: ten classes, each with half of the samples of the one before",
    "ClassImbalance",
    source="Cui et al. 2019, Class-balanced loss based on effective number of samples",
)
def long_tail_of_classes(hook):
    points, labels = clusters(count=12000, classes=10, spread=1.5)
    keep = torch.rand(len(labels)) < 0.5**labels
    _train(hook, (points[keep][:2000], labels[keep][:2000]))


@faulty(
    "half of the eights are labelled as threes and half of the threes as eights",
    "Confusion",
    source="Northcutt et al. 2021, Pervasive label errors in test sets destabilize machine learning benchmarks",
)
def two_classes_mixed_up(hook):
    images, labels = digits(flat=True)
    swapped = torch.where(labels == 3, 8, torch.where(labels == 8, 3, labels))
    _train(hook, (images, torch.where(torch.rand(len(labels)) < 0.5, swapped, labels)))
