"""The optimizers that took a step."""

import gc

import torch
from torch import nn

from sagehound.debug.recording.optimizers import Optimizers


class Deaf:
    """Listens to nothing."""

    def before_optimizer(self, optimizer):
        """Not heard."""

    def after_optimizer(self, optimizer):
        """Not heard."""


def take_a_step(model, kind=torch.optim.SGD):
    optimizer = kind(model.parameters(), lr=0.5)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()


def test_what_an_optimizer_held_is_known_after_its_end():
    optimizers, model = Optimizers(Deaf()), nn.Linear(2, 1)
    take_a_step(model)
    gc.collect()
    assert list(optimizers) == []
    (info,) = optimizers.infos({id(p) for p in model.parameters()})
    assert (info.type, info.learning_rates, info.parameters, info.foreign) == ("SGD", (0.5,), 2, 0)
    assert optimizers.held() == {id(p) for p in model.parameters()}
    optimizers.close()


def test_the_next_optimizer_takes_the_place_of_one_that_ended():
    optimizers, model = Optimizers(Deaf()), nn.Linear(2, 1)
    take_a_step(model)
    gc.collect()
    take_a_step(model, torch.optim.Adam)
    gc.collect()
    assert [info.type for info in optimizers.infos(set())] == ["Adam"]
    optimizers.close()


def test_two_that_live_are_both_known_with_their_present_rates():
    optimizers, models = Optimizers(Deaf()), [nn.Linear(2, 1), nn.Linear(2, 1)]
    living = [torch.optim.SGD(model.parameters(), lr=0.1) for model in models]
    for optimizer in living:
        optimizer.step()
    living[0].param_groups[0]["lr"] = 0.01
    assert [info.learning_rates for info in optimizers.infos(set())] == [(0.01,), (0.1,)]
    optimizers.close()
