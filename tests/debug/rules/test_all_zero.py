import numpy as np
import pytest

from sagehound.debug.rules.all_zero import AllZero
from sagehound.debug.rules.registry import build
from tests.debug.rules.recorded import (
    LOSS,
    at_each_step,
    gradient,
    model_of,
    noise,
    output,
    tensors_found,
    trial_of,
    weight,
)

ZERO = np.zeros((4, 5), np.float32)


def part_zero(zeros: int) -> np.ndarray:
    return np.concatenate([np.zeros(zeros), np.ones(100 - zeros)]).astype(np.float32)


def test_a_chosen_tensor_of_zeros_is_found_from_the_first_step() -> None:
    (found,) = at_each_step(AllZero(tensor_regex=("relu",)), trial_of({output(): ZERO, weight(): ZERO}))
    assert (found.tensor, found.numbers["zero_percent"]) == ("relu1_output_0", 100.0)
    assert "100 % of relu1_output_0 is zero; the limit is 100 %" in found.message


@pytest.mark.parametrize(("zeros", "times"), [(79, 0), (80, 1), (100, 1)])
def test_the_threshold_is_reached_not_passed(zeros: int, times: int) -> None:
    rule = build("AllZero", {"threshold": "80", "collection_names": "weights"})
    assert len(at_each_step(rule, trial_of({weight(): part_zero(zeros)}))) == times


def test_without_a_choice_weights_and_gradients_after_the_first_update() -> None:
    tensors = {weight(): ZERO, gradient(): ZERO, gradient("Net_fc.bias"): ZERO, output(): ZERO, LOSS: 0.0}
    found = at_each_step(AllZero(), trial_of(tensors, tensors))
    assert [(one.tensor, one.step) for one in found] == [("Net_fc.weight", 1), ("gradient/Net_fc.weight", 1)]


def test_frozen_weights_are_left_out_without_a_choice() -> None:
    model = model_of(frozen=["Net_fc.weight"])
    assert at_each_step(AllZero(), trial_of({weight(): ZERO}, {weight(): ZERO}, model=model)) == []


def test_reductions_and_empty_and_scalar_tensors() -> None:
    rule = AllZero(collection_names=("all",))
    tensors = {weight("a", shape=(3,)): {"l2": 0.0}, weight("b", shape=(3,)): {"l2": 1.0}, LOSS: 0.0}
    assert tensors_found(rule, trial_of({**tensors, weight("c"): np.zeros((0, 3))})) == ["a", LOSS.name]


def test_what_is_missing_is_named() -> None:
    assert "neither collection_names nor tensor_regex" in AllZero().unable(trial_of({LOSS: 1.0}))
    assert "collection 'gradients'" in AllZero(("gradients",)).unable(trial_of({LOSS: 1.0}))
    assert AllZero().unable(trial_of({weight(): noise(3)})) == ""
