from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sagehound.debug.rules.frozen_layer import FrozenLayer
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Facts, Model, OptimizerInfo, ParameterInfo, TensorInfo
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step, gradient, model_of, noise, trial_of, weight
from tests.debug.rules.trained import clusters, network, trained

STILL = noise(4, 4)


def steps(count: int, each: TensorInfo, value: np.ndarray) -> list[dict[TensorInfo, np.ndarray]]:
    return [{each: value, weight("Net_conv.weight", "conv", "Conv2d"): noise(4, 4)} for _ in range(count)]


@pytest.mark.parametrize(("count", "times"), [(4, 0), (5, 1), (9, 1), (10, 2)])
def test_a_layer_that_is_the_same_over_num_steps_saves(count: int, times: int) -> None:
    found = at_each_step(FrozenLayer(), trial_of(*steps(count, weight(), STILL)))
    assert [(each.tensor, each.module) for each in found] == [("Net_fc.weight", "fc")] * times
    assert not found or "fc (Linear) has not changed over the last 5 saved steps, from step 0 to 4" in found[0].message


def test_one_weight_that_changes_is_enough_for_a_layer() -> None:
    saved = [{weight(): STILL, weight("Net_fc.other"): noise(3)} for _ in range(5)]
    assert at_each_step(FrozenLayer(), trial_of(*saved)) == []


def test_what_is_meant_to_stay_may() -> None:
    model = model_of(frozen=["Net_fc.weight"], optimized=["Net_conv.weight"])
    assert at_each_step(FrozenLayer(), trial_of(*steps(10, weight(), STILL), model=model)) == []


@pytest.mark.parametrize(("facts", "times"), [
    (Facts(optimizer_steps=3), 0),
    (Facts(optimizer_steps=0, backward=True), 0),
    (Facts(learning_rates=(0.0,)), 0),
    (Facts(learning_rates=(0.1,)), 1),
])  # fmt: skip
def test_where_no_update_was_made_none_is_missed(facts: Facts, times: int) -> None:
    run = RecordedRun()
    for _ in range(5):
        run.save({weight(): STILL}, facts=facts)
    assert len(at_each_step(FrozenLayer(), run.end().trial())) == times


def test_an_optimizer_that_never_steps_is_missed_in_the_end() -> None:
    run = RecordedRun()
    for _ in range(5):
        run.save({weight(): STILL}, facts=Facts(optimizer_steps=0, backward=True), skip=11)
    (found,) = at_each_step(FrozenLayer(), run.end().trial())
    assert "optimizer.step()" in found.change


@pytest.mark.parametrize(("count", "times"), [(4, 0), (5, 1)])
def test_a_layer_without_a_gradient(count: int, times: int) -> None:
    found = at_each_step(FrozenLayer(), trial_of(*steps(count, gradient(), np.zeros((4, 4)))))
    assert len(found) == times
    assert not found or "had no gradient at the last 5 saved steps" in found[0].message


def held(*optimized: bool, taken: int = 9) -> Trial:
    parameters = tuple(
        ParameterInfo(name=f"Net_{n}.weight", module=f"{n}", optimized=o) for n, o in enumerate(optimized)
    )
    run = RecordedRun(Model(parameters=parameters, optimizers=(OptimizerInfo(type="SGD"),)))
    run.save({LOSS: 1.0}, facts=Facts(optimizer_steps=taken))
    return run.end().trial()


def test_parameters_that_no_optimizer_holds() -> None:
    (found,) = at_each_step(FrozenLayer(), held(True, False, False))
    assert "No optimizer holds 2 trainable parameters of 2 modules: Net_1.weight, Net_2.weight." in found.message
    assert at_each_step(FrozenLayer(), held(True, True)) == []
    assert at_each_step(FrozenLayer(), held(True, False, taken=4)) == []


def test_the_number_of_saves_is_a_parameter() -> None:
    assert at_each_step(build("FrozenLayer", {"num_steps": "2"}), trial_of(*steps(2, weight(), STILL)))


def test_what_is_missing_is_named() -> None:
    assert "name='weights'" in FrozenLayer().unable(trial_of({LOSS: 1.0}))
    assert FrozenLayer().unable(trial_of({weight(): STILL})) == ""


class Detached(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(x).detach()))


def test_a_real_training_whose_first_layer_is_detached(tmp_path: Path) -> None:
    found = at_each_step(FrozenLayer(), trained(tmp_path / "detached", Detached(), clusters(6)))
    assert {each.module for each in found} == {"first"}
    assert at_each_step(FrozenLayer(), trained(tmp_path / "fine", network(), clusters(12))) == []
