import numpy as np
import pytest

from sagehound.debug.rules.registry import build
from sagehound.debug.rules.saturated_activation import SaturatedActivation
from sagehound.testing.recorded_run import info
from tests.debug.rules.recorded import at_each_step, layer_input, noise, output, tensors_found, trial_of

RULE = SaturatedActivation()
TANH, SIGMOID = layer_input("tanh1", "Tanh"), layer_input("sig", "Sigmoid")


def inputs(value: float, nodes: int, samples: int = 128) -> np.ndarray:
    array = noise(samples, 10)
    array[:, :nodes] = value
    return array


@pytest.mark.parametrize("value", [9.6, -9.6])
def test_more_than_half_of_the_nodes_saturated(value: float) -> None:
    (found,) = at_each_step(RULE, trial_of({TANH: inputs(value, 6)}))
    assert found.message == (
        "60 % of the nodes of tanh1_input_0 lie outside -9.4999 to 9.4999 in more than 99 % of what they see; "
        "the limit is 50 %."
    )
    assert at_each_step(RULE, trial_of({TANH: inputs(value, 5)})) == []


@pytest.mark.parametrize(
    ("tensor", "value", "times"),
    [
        (TANH, 9.4, 0),
        (SIGMOID, 9.6, 0),
        (SIGMOID, 16.9, 0),
        (SIGMOID, 17.1, 1),
        (SIGMOID, -22.9, 0),
        (SIGMOID, -23.1, 1),
    ],
)
def test_each_function_has_its_own_limits(tensor: object, value: float, times: int) -> None:
    assert len(at_each_step(RULE, trial_of({tensor: inputs(value, 10)}))) == times  # type: ignore[dict-item]


def test_thresholds_as_text() -> None:
    rule = build(
        "SaturatedActivation", {"threshold_tanh_max": "2", "threshold_layer": "20", "threshold_inactivity": "2"}
    )
    assert len(at_each_step(rule, trial_of({TANH: inputs(2.5, 3, samples=50)}))) == 1


def test_a_small_batch_is_judged_with_those_before_it() -> None:
    batch = {TANH: inputs(12, 10, samples=50)}
    assert [found.step for found in at_each_step(RULE, trial_of(batch, batch))] == [1]


def test_collections_and_patterns_narrow() -> None:
    other = layer_input("tanh2", "Tanh", collections=("mine",))
    trial = trial_of({TANH: inputs(12, 10), other: inputs(12, 10), output("tanh1", "Tanh"): inputs(12, 10)})
    assert tensors_found(SaturatedActivation(collection_names=("mine",)), trial) == ["tanh2_input_0"]
    assert tensors_found(SaturatedActivation(tensor_regex=("tanh1",)), trial) == ["tanh1_input_0"]
    guide = build("SaturatedActivation", {"tensor_regex": ".*tanh_input|.*sigmoid_input"})
    assert len(at_each_step(guide, trial)) == 2


def test_what_the_script_saved_goes_by_its_name() -> None:
    gates = {info("gate_sigmoid", "custom"): inputs(12, 10), info("cell", "custom"): inputs(12, 10)}
    assert tensors_found(SaturatedActivation(tensor_regex=("gate", "cell")), trial_of(gates)) == ["cell"]


@pytest.mark.parametrize(
    ("reductions", "times", "unable"),
    [
        ({"min": 10.0, "max": 12.0}, 1, False),
        ({"min": -1.0, "max": 12.0}, 0, True),
        ({"min": -1.0, "max": 2.0}, 0, False),
        ({"mean": 11.0}, 0, True),
    ],
)
def test_reductions_tell_when_all_is_on_one_side(reductions: dict[str, float], times: int, unable: bool) -> None:
    trial = trial_of({layer_input("tanh1", "Tanh", shape=(8, 4)): reductions})
    assert len(at_each_step(RULE, trial)) == times
    assert bool(RULE.unable(trial)) == unable


def test_infinity_saturates_and_nan_does_not() -> None:
    tensors = {TANH: inputs(np.inf, 10), layer_input("t", "Tanh"): inputs(np.nan, 10), SIGMOID: np.zeros((0, 4))}
    assert tensors_found(RULE, trial_of(tensors)) == ["tanh1_input_0"]


def test_without_such_layers_it_says_why() -> None:
    assert "torch.tanh, F.sigmoid, within nn.LSTM" in RULE.unable(trial_of({output(): noise(3, 3)}))
