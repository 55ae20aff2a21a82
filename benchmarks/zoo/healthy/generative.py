"""Models without labels: autoencoders, a GAN, and distances."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from sagehound.debug.modes import modes
from zoo.data import clusters, digits, loader, split
from zoo.loop import fit
from zoo.training import healthy


@healthy
def autoencoder(hook):
    """DeadRelu is right about it: 7 of the 12 units of its code die. It was found so by the rule, and left in."""
    images, _ = digits(flat=True, scale="unit")
    layers = [nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 12), nn.ReLU(), nn.Linear(12, 32), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(32, 64), nn.Sigmoid())
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    fit(hook, model, nn.MSELoss(), optimizer, *split((images, images)), epochs=6)


@healthy
def denoising_convolutional_autoencoder(hook):
    images, _ = digits()
    encoder = [nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.LeakyReLU(0.1), nn.Conv2d(16, 8, 3, padding=1)]
    model = nn.Sequential(*encoder, nn.LeakyReLU(0.1), nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1))
    data = images + torch.randn_like(images) * 0.3, images
    fit(hook, model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=3e-3), *split(data), epochs=5)


@healthy
def variational_autoencoder(hook):
    class Vae(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
            self.mean, self.log_variance = nn.Linear(64, 8), nn.Linear(64, 8)
            self.decoder = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64))

        def forward(self, x):
            hidden = self.encoder(x)
            mean, log_variance = self.mean(hidden), self.log_variance(hidden)
            return self.decoder(mean + torch.randn_like(mean) * torch.exp(log_variance / 2)), mean, log_variance

    images, labels = digits(flat=True, scale="unit")
    model = Vae()
    hook.register_module(model)
    hook.set_mode(modes.TRAIN)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(6):
        for batch, _ in loader(images, labels):
            optimizer.zero_grad()
            made, mean, log_variance = model(batch)
            divergence = -0.5 * (1 + log_variance - mean.pow(2) - log_variance.exp()).sum(1).mean()
            loss = F.binary_cross_entropy_with_logits(made, batch, reduction="sum") / len(batch) + divergence
            loss.backward()
            optimizer.step()
            hook.save_scalar("loss", loss.item())


@healthy
def generative_adversarial_network(hook):
    generator = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
    discriminator = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    criterion = nn.BCEWithLogitsLoss()
    hook.register_module(generator)
    hook.register_loss(criterion)
    hook.set_mode(modes.TRAIN)
    adam_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    for _ in range(300):
        real, fake = torch.randn(64, 2) * 0.5 + 1, generator(torch.randn(64, 4))
        adam_d.zero_grad()
        real_loss = criterion(discriminator(real), torch.ones(64, 1))
        (real_loss + criterion(discriminator(fake.detach()), torch.zeros(64, 1))).backward()
        adam_d.step()
        adam_g.zero_grad()
        criterion(discriminator(fake), torch.ones(64, 1)).backward()
        adam_g.step()


@healthy
def siamese_with_cosine_embedding(hook):
    class Siamese(nn.Module):
        def __init__(self):
            super().__init__()
            self.branch = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))

        def forward(self, left, right):
            return self.branch(left), self.branch(right)

    images, labels = digits(flat=True)
    model, criterion = Siamese(), nn.CosineEmbeddingLoss(margin=0.2)
    hook.register_module(model)
    hook.register_loss(criterion)
    hook.set_mode(modes.TRAIN)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(5):
        for batch, kinds in loader(images, labels):
            other = torch.randint(len(images), (len(batch),))
            left, right = model(batch, images[other])
            optimizer.zero_grad()
            criterion(left, right, torch.where(kinds == labels[other], 1, -1)).backward()
            optimizer.step()


@healthy
def triplet_loss(hook):
    points, labels = clusters(classes=5)
    order = torch.argsort(labels)
    points, labels = points[order], labels[order]
    first = [int((labels == kind).nonzero()[0]) for kind in range(5)]
    last = [int((labels == kind).nonzero()[-1]) for kind in range(5)]
    model, criterion = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 8)), nn.TripletMarginLoss()
    hook.register_module(model)
    hook.register_loss(criterion)
    hook.set_mode(modes.TRAIN)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(5):
        for batch, kinds in loader(points, labels):
            positive = torch.tensor([int(torch.randint(first[k], last[k] + 1, ())) for k in kinds.tolist()])
            negative = (positive + len(points) // 5 * torch.randint(2, 4, (len(batch),))) % len(points)
            together = model(torch.cat([batch, points[positive], points[negative]]))
            optimizer.zero_grad()
            criterion(*together.chunk(3)).backward()
            optimizer.step()
