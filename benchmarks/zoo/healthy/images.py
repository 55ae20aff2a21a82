"""Image classifiers and a segmentation."""

from __future__ import annotations

import torch
from torch import nn

from zoo.data import digits, shapes, split
from zoo.loop import fit
from zoo.training import healthy


def _train(hook, model, data, lr=1e-3, epochs=5, train=1200):
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=lr)
    fit(hook, model, criterion, optimizer, *split(data, train=train), epochs)


@healthy
def mlp(hook):
    _train(hook, nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)), digits(flat=True))


@healthy
def cnn_with_pooling(hook):
    body = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()]
    _train(hook, nn.Sequential(*body, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)), digits())


@healthy
def cnn_on_images_from_0_to_1(hook):
    """As ToTensor() gives them, without Normalize()."""
    body = [nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten()]
    _train(hook, nn.Sequential(*body, nn.Linear(256, 10)), digits(scale="unit"))


@healthy
def cnn_with_batch_norm(hook):
    body = [nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU()]
    _train(hook, nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)), digits())


@healthy
def cnn_with_group_norm_and_gelu(hook):
    body = [nn.Conv2d(3, 16, 3, stride=2), nn.GroupNorm(4, 16), nn.GELU(), nn.Conv2d(16, 32, 3), nn.GroupNorm(4, 32)]
    model = nn.Sequential(*body, nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(32, 3))
    images, labels, _ = shapes()
    _train(hook, model, (images, labels), lr=3e-3, train=700, epochs=6)


class _Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        self.conv2, self.norm2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(x + self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x))))))


@healthy
def residual_network(hook):
    stem = [nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    model = nn.Sequential(*stem, _Residual(16), _Residual(16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    _train(hook, model, digits(), lr=3e-3)


@healthy
def depthwise_separable(hook):
    def block(inputs, outputs):
        depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        return [depthwise, nn.BatchNorm2d(inputs), nn.ReLU6(), pointwise, nn.BatchNorm2d(outputs), nn.ReLU6()]

    body = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU6(), *block(16, 32), *block(32, 32)]
    model = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    _train(hook, model, digits(), lr=3e-3)


@healthy
def vision_transformer(hook):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = nn.Conv2d(1, 32, 2, stride=2)
            self.position = nn.Parameter(torch.randn(1, 16, 32) * 0.02)
            layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(32, 10)

        def forward(self, x):
            return self.head(self.encoder(self.patches(x).flatten(2).transpose(1, 2) + self.position).mean(1))

    _train(hook, Net(), digits(), lr=2e-3, epochs=6)


@healthy
def segmentation_unet(hook):
    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
            self.middle = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU())
            self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
            self.out = nn.Conv2d(16, 1, 1)

        def forward(self, x):
            skip = self.down(x)
            return self.out(torch.cat([skip, self.up(self.middle(skip))], 1))

    images, _, masks = shapes(500)
    model = UNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    fit(hook, model, nn.BCEWithLogitsLoss(), optimizer, *split((images, masks), train=400), epochs=6)
