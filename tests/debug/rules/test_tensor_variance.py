import numpy as np
import pytest

from sagehound.debug.rules.registry import build
from sagehound.debug.rules.tensor_variance import TensorVariance
from sagehound.errors import InvalidInput
from tests.debug.rules.recorded import LOSS, at_each_step, gradient, noise, tensors_found, trial_of, weight


def of_variance(variance: float) -> np.ndarray:
    return 3 + np.sqrt(variance) * np.array([-1.0, 1.0, -1.0, 1.0])


@pytest.mark.parametrize(
    ("variance", "side"), [(10.1, "more than 10"), (9e-6, "less than 1e-05"), (9.9, ""), (1.1e-5, "")]
)
def test_outside_the_bounds(variance: float, side: str) -> None:
    rule = build("TensorVariance", {"max_threshold": "10", "min_threshold": "0.00001", "collection_names": "weights"})
    messages = [found.message for found in at_each_step(rule, trial_of({weight(): of_variance(variance)}))]
    assert len(messages) == bool(side)
    assert all(side in message for message in messages)


def test_one_bound_is_enough_and_without_a_choice_all_are_judged() -> None:
    trial = trial_of({weight(): of_variance(2), gradient(): of_variance(3), LOSS: 7.0})
    assert tensors_found(TensorVariance(max_threshold=1), trial) == [weight().name, gradient().name]
    assert tensors_found(TensorVariance(min_threshold=2.5), trial) == [weight().name]


@pytest.mark.parametrize("reductions", [{"variance": 4.0}, {"std": 2.0}])
def test_reductions_suffice(reductions: dict[str, float]) -> None:
    assert len(at_each_step(TensorVariance(max_threshold=3), trial_of({weight(shape=(2,)): reductions}))) == 1


def test_nan_is_not_judged() -> None:
    rule = TensorVariance(max_threshold=1, min_threshold=0.5)
    assert at_each_step(rule, trial_of({weight(): np.array([np.nan, 1.0])})) == []


def test_without_bounds_it_says_what_to_set() -> None:
    trial = trial_of({weight(): noise(3)})
    assert at_each_step(TensorVariance(), trial) == []
    assert "set min_threshold, max_threshold or both" in TensorVariance().unable(trial)
    assert TensorVariance(max_threshold=1).unable(trial) == ""


def test_bounds_that_exclude_everything_are_refused() -> None:
    with pytest.raises(InvalidInput, match="min_threshold 2 is above max_threshold 1"):
        build("TensorVariance", {"min_threshold": "2", "max_threshold": "1"})
