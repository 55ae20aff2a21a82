import numpy as np
import pytest

from sagehound.debug.rules.poor_weight_initialization import PoorWeightInitialization
from sagehound.debug.rules.registry import build
from tests.debug.rules.recorded import LOSS, at_each_step, gradient, layer_input, noise, trial_of, weight

RULE = PoorWeightInitialization()
FIRST, SECOND = layer_input("relu1"), layer_input("relu2", "LeakyReLU")


def of_variances(first: float, second: float) -> dict:
    base = np.array([[-1.0, 1.0]])
    return {FIRST: base * np.sqrt(first), SECOND: base * np.sqrt(second)}


def of_range(width: float) -> dict:
    """A gradient whose 5th and 95th percentile are that far apart."""
    return {gradient(): np.linspace(-0.5, 0.5, 101)[:, None] * width / 0.9}


def stalled(tensors: dict) -> list[dict]:
    return [{**tensors, LOSS: 2.0 + 0.1 * step} for step in range(6)]


@pytest.mark.parametrize(("first", "times"), [(9.9, 0), (10.1, 1), (0.0, 1)])
def test_variances_out_of_proportion(first: float, times: int) -> None:
    found = at_each_step(RULE, trial_of(of_variances(first, 1.0)))
    assert len(found) == times


def test_the_message_names_both_layers() -> None:
    (found,) = at_each_step(RULE, trial_of(of_variances(50.0, 1.0)))
    assert found.tensor == "relu2_input_0"
    assert found.message == (
        "The variance of what ReLUs get is 50 at relu1_input_0 and 1 at relu2_input_0, 50 times less; the limit is "
        "10 times, and the loss was not saved."
    )


@pytest.mark.parametrize(("width", "times"), [(0.00099, 1), (0.00101, 0)])
def test_gradients_that_are_too_narrow(width: float, times: int) -> None:
    found = at_each_step(RULE, trial_of(of_range(width)))
    assert len(found) == times
    assert all(one.numbers["range"] == pytest.approx(width) and "Net_fc.weight spans" in one.message for one in found)


def test_a_loss_that_falls_clears_it_and_one_that_stalls_confirms_it() -> None:
    bad = of_variances(50.0, 1.0) | of_range(1e-5)
    falling = [{**bad, LOSS: 2.0 - 0.1 * step} for step in range(8)]
    assert at_each_step(RULE, trial_of(*falling)) == []
    found = at_each_step(RULE, trial_of(*stalled(bad)))
    assert [(one.step, one.tensor) for one in found] == [(5, "relu2_input_0"), (5, "gradient/Net_fc.weight")]
    assert "the loss has not fallen for 5 saved steps" in found[0].message


def test_a_stalled_loss_alone_is_no_finding() -> None:
    assert at_each_step(RULE, trial_of(*stalled(of_variances(2.0, 1.0) | of_range(1.0)))) == []


def test_a_loss_that_is_nan_confirms_at_once() -> None:
    (found,) = at_each_step(RULE, trial_of({**of_variances(50.0, 1.0), LOSS: float("nan")}))
    assert "the loss is nan" in found.message


def test_a_layer_that_gets_nothing_has_a_ratio_that_can_be_written() -> None:
    (found,) = at_each_step(RULE, trial_of(of_variances(1.0, 0.0)))
    assert found.numbers["ratio"] == "inf"
    assert "is 1 at relu1_input_0 and 0 at relu2_input_0; the limit" in found.message


def test_only_the_first_steps_are_judged() -> None:
    trial = trial_of(*[of_variances(50.0, 1.0)] * 12)
    assert [found.step for found in at_each_step(RULE, trial)] == list(range(10))
    rule = build("PoorWeightInitialization", {"steps": "2", "threshold": "60", "patience": "1"})
    assert at_each_step(rule, trial) == []


def test_patience_as_text() -> None:
    rule = build("PoorWeightInitialization", {"patience": "2"})
    assert [found.step for found in at_each_step(rule, trial_of(*stalled(of_range(1e-6))[:3]))] == [2]


def test_reductions_of_the_inputs_suffice() -> None:
    tensors = {layer_input("a", shape=(3,)): {"variance": 100.0}, layer_input("b", shape=(3,)): {"std": 1.0}}
    assert len(at_each_step(RULE, trial_of(tensors))) == 1


def test_a_sample_of_a_large_gradient_has_its_range() -> None:
    (found,) = at_each_step(RULE, trial_of({gradient(): noise(1000, 700, scale=1e-4)}))
    assert found.numbers["range"] == pytest.approx(2 * 1.645e-4, rel=0.02)


def test_what_is_not_finite_or_empty_or_flat_is_not_judged() -> None:
    tensors = {
        gradient(): np.full((3, 3), np.nan, np.float32),
        gradient("e"): np.zeros((0, 3), np.float32),
        gradient("i"): np.array([[np.inf, -np.inf, np.inf]], np.float32),
        gradient("bias"): np.zeros(3, np.float32),
        FIRST: np.array([[np.inf, 1.0]]),
        SECOND: noise(3, 3),
    }
    assert at_each_step(RULE, trial_of(tensors)) == []


def test_what_is_missing_is_named() -> None:
    assert "CollectionConfig(name='gradients')" in RULE.unable(trial_of({weight(): noise(3)}))
    assert RULE.unable(trial_of(of_range(1.0))) == ""
