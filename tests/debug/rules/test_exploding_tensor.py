import math

import numpy as np
import pytest

from sagehound.debug.rules.exploding_tensor import ExplodingTensor
from sagehound.debug.rules.registry import build
from tests.debug.rules.recorded import LOSS, at_each_step, gradient, layer_input, noise, tensors_found, trial_of, weight


def with_(value: float, count: int = 1) -> np.ndarray:
    array = noise(300, 300)
    array[-1, -count:] = value
    return array


@pytest.mark.parametrize(("value", "nan", "inf"), [(math.nan, 2, 0), (math.inf, 0, 2), (-math.inf, 0, 2)])
def test_one_element_that_is_not_finite_is_found(value: float, nan: int, inf: int) -> None:
    (found,) = at_each_step(ExplodingTensor(), trial_of({weight(): with_(value, 2), gradient(): noise(3)}))
    assert found.tensor == "Net_fc.weight"
    assert found.numbers == {"count": 90_000, "nan": nan, "inf": inf}
    assert f"{nan} NaN and {inf} infinite among 90,000 elements" in found.message


def test_large_and_whole_and_empty_tensors_are_finite() -> None:
    tensors = {weight(): with_(3e38), gradient(): np.array([1 << 60]), weight("e"): np.zeros((0, 2)), LOSS: 1.0}
    assert at_each_step(ExplodingTensor(), trial_of(tensors)) == []


def test_only_nan_lets_infinity_pass() -> None:
    rule = build("ExplodingTensor", {"only_nan": "True"})
    assert tensors_found(rule, trial_of({weight(): with_(math.inf)})) == []
    assert tensors_found(rule, trial_of({weight(): with_(math.nan)})) == ["Net_fc.weight"]


def test_a_loss_that_is_nan_is_found() -> None:
    assert tensors_found(ExplodingTensor(), trial_of({LOSS: math.nan})) == [LOSS.name]


def test_collections_and_patterns_choose() -> None:
    trial = trial_of({weight(): with_(math.nan), gradient(): with_(math.nan), LOSS: math.nan})
    assert tensors_found(build("ExplodingTensor", {"collection_names": "gradients"}), trial) == [gradient().name]
    both = build("ExplodingTensor", {"collection_names": "gradients", "tensor_regex": ".*Loss"})
    assert set(tensors_found(both, trial)) == {gradient().name, LOSS.name}


def test_a_mask_of_negative_infinity_is_none_unless_asked_for() -> None:
    mask = {layer_input("encoder", "TransformerEncoder"): with_(-math.inf)}
    assert at_each_step(ExplodingTensor(), trial_of(mask)) == []
    assert len(at_each_step(ExplodingTensor(tensor_regex=("encoder",)), trial_of(mask))) == 1


@pytest.mark.parametrize(
    ("reductions", "any_", "nan_only"),
    [({"mean": math.nan}, 1, 0), ({"max": math.inf}, 1, 0), ({"min": math.nan}, 1, 1), ({"l2": 3.0}, 0, 0)],
)
def test_reductions_tell(reductions: dict[str, float], any_: int, nan_only: int) -> None:
    trial = trial_of({weight(shape=(3,)): reductions})
    assert len(at_each_step(ExplodingTensor(), trial)) == any_
    assert len(at_each_step(ExplodingTensor(only_nan=True), trial)) == nan_only


def test_a_choice_that_nothing_matches_is_named() -> None:
    trial = trial_of({weight(): noise(3)})
    said = ExplodingTensor(tensor_regex=("activation.*",)).unable(trial)
    assert said == "no tensor of regex 'activation.*' was saved; saved were Net_fc.weight"
    assert ExplodingTensor().unable(trial) == ""
