"""Sequences: waves and words."""

from __future__ import annotations

import torch
from torch import nn

from zoo.data import sentences, split, waves
from zoo.loop import fit
from zoo.training import healthy


def _train(hook, model, data, train=700, lr=3e-3, epochs=6, criterion=None):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    fit(hook, model, criterion or nn.CrossEntropyLoss(), optimizer, *split(data, train=train), epochs)


class _Last(nn.Module):
    """A recurrent network and a linear layer on its last output."""

    def __init__(self, recurrent, outputs):
        super().__init__()
        self.recurrent = recurrent
        self.head = nn.Linear(recurrent.hidden_size, outputs)

    def forward(self, x):
        return self.head(self.recurrent(x)[0][:, -1])


@healthy
def lstm_averaged_over_time(hook):
    class Net(_Last):
        def forward(self, x):
            return self.head(self.recurrent(x)[0].mean(1))

    _train(hook, Net(nn.LSTM(1, 32, batch_first=True), 3), waves(), lr=1e-2)


@healthy
def gru_with_two_layers(hook):
    _train(hook, _Last(nn.GRU(1, 24, num_layers=2, dropout=0.1, batch_first=True), 3), waves(), lr=5e-3)


@healthy
def rnn_predicts_the_next_value(hook):
    series, _ = waves(length=25)
    data = series[:, :-1], series[:, -1]
    _train(hook, _Last(nn.RNN(1, 32, batch_first=True), 1), data, criterion=nn.MSELoss())


@healthy
def convolution_over_time(hook):
    series, labels = waves(length=32)
    body = [nn.Conv1d(1, 16, 5), nn.BatchNorm1d(16), nn.ReLU(), nn.Conv1d(16, 16, 5), nn.BatchNorm1d(16), nn.ReLU()]
    model = nn.Sequential(*body, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 3))
    _train(hook, model, (series.transpose(1, 2), labels))


@healthy
def embedding_bag(hook):
    model = nn.Sequential(nn.EmbeddingBag(100, 16, mode="mean", padding_idx=0), nn.Linear(16, 2))
    _train(hook, model, sentences(), train=1000, lr=1e-2)


@healthy
def transformer_encoder(hook):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(100, 32, padding_idx=0)
            layer = nn.TransformerEncoderLayer(32, 2, 64, dropout=0.1, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(32, 2)

        def forward(self, x):
            padding = x == 0
            kept = self.encoder(self.embedding(x), src_key_padding_mask=padding).masked_fill(padding[..., None], 0)
            return self.head(kept.sum(1) / (~padding).sum(1, keepdim=True))

    _train(hook, Net(), sentences(2400), train=2000, lr=1e-3, epochs=4)


@healthy
def language_model_with_tied_weights(hook):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(30, 32)
            self.lstm = nn.LSTM(32, 32, batch_first=True)
            self.decoder = nn.Linear(32, 30)
            self.decoder.weight = self.embedding.weight

        def forward(self, x):
            return self.decoder(self.lstm(self.embedding(x))[0]).transpose(1, 2)

    follows = torch.softmax(torch.randn(30, 30) * 3, 1)
    text = [torch.randint(30, (800,))]
    for _ in range(20):
        text.append(torch.multinomial(follows[text[-1]], 1).squeeze(1))
    tokens = torch.stack(text, 1)
    _train(hook, Model(), (tokens[:, :-1], tokens[:, 1:]), train=640, lr=1e-2)


@healthy
def attention_pooling(hook):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.proj = nn.Linear(1, 24)
            self.gru = nn.GRU(24, 24, batch_first=True, bidirectional=True)
            self.score = nn.Linear(48, 1)
            self.head = nn.Linear(48, 3)

        def forward(self, x):
            states = self.gru(torch.tanh(self.proj(x)))[0]
            return self.head((torch.softmax(self.score(states), 1) * states).sum(1))

    _train(hook, Net(), waves(), lr=5e-3)
