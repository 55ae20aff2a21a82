import math

import numpy as np
import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.registry import build
from sagehound.debug.rules.vanishing_gradient import VanishingGradient
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step, gradient, noise, tensors_found, trial_of

RULE = VanishingGradient()


def of_size(mean: float) -> np.ndarray:
    return np.array([[mean, -mean], [2 * mean, 0.0]], np.float32)


def test_a_gradient_below_the_threshold_is_found() -> None:
    (found,) = at_each_step(RULE, trial_of({gradient(): of_size(0.99e-7)}))
    assert (found.tensor, found.module, found.step, found.mode) == ("gradient/Net_fc.weight", "fc", 0, "TRAIN")
    assert found.numbers == pytest.approx({"abs_mean": 0.99e-7, "threshold": 1e-7})
    assert "Net_fc.weight averages 9.9e-08 in absolute value, less than 1e-07" in found.message


def test_one_just_above_it_is_not() -> None:
    assert at_each_step(RULE, trial_of({gradient(): of_size(1.01e-7)})) == []


def test_the_threshold_as_text() -> None:
    rule = build("VanishingGradient", {"threshold": "0.01"})
    assert tensors_found(rule, trial_of({gradient(): of_size(0.009)})) == ["gradient/Net_fc.weight"]


@pytest.mark.parametrize("reductions", [{"abs_mean": 1e-9}, {"l1": 4e-9}, {"abs_sum": 4e-9}])
def test_reductions_that_tell_suffice(reductions: dict[str, float]) -> None:
    trial = trial_of({gradient(shape=(2, 2)): reductions})
    assert tensors_found(RULE, trial) == ["gradient/Net_fc.weight"]
    assert RULE.unable(trial) == ""


def test_reductions_that_do_not_tell_are_named() -> None:
    trial = trial_of({gradient(shape=(2, 2)): {"max": 1e-9}})
    assert at_each_step(RULE, trial) == []
    assert "abs_reductions=['mean']" in RULE.unable(trial)


def test_a_bias_is_judged_only_without_its_weight() -> None:
    """Before a batch norm a bias has no gradient, and its layer learns well."""
    bias = gradient("Net_fc.bias")
    assert at_each_step(RULE, trial_of({gradient(): of_size(1.0), bias: of_size(1e-9)})) == []
    assert tensors_found(RULE, trial_of({bias: of_size(1e-9)})) == ["gradient/Net_fc.bias"]
    rnn = {gradient(f"Net_rnn.{name}_l0", "rnn", "RNN"): of_size(size) for name, size in (("weight", 1), ("bias", 0))}
    assert at_each_step(RULE, trial_of(rnn, rnn)) == []


def test_rows_of_absent_tokens_do_not_count() -> None:
    rows = np.zeros((100_000, 4), np.float32)
    rows[:2] = 1e-3
    embedding = gradient("Net_embed.weight", "embed", "Embedding")
    assert at_each_step(RULE, trial_of({embedding: rows})) == []
    rows[:2] = 1e-9
    assert len(at_each_step(RULE, trial_of({embedding: rows}))) == 1


def test_zero_is_let_pass_before_the_first_update_only() -> None:
    zeros = {gradient(): of_size(0.0)}
    assert [found.step for found in at_each_step(RULE, trial_of(zeros, zeros))] == [1]


def test_what_is_not_finite_or_empty_or_evaluation_is_not_judged() -> None:
    run = RecordedRun()
    run.save({gradient(): np.full(3, math.nan, np.float32), gradient("b"): np.zeros((0, 3), np.float32)})
    run.save({gradient(): of_size(1e-9)}, mode=ModeKeys.EVAL)
    assert at_each_step(RULE, run.trial()) == []


def test_without_gradients_it_says_what_to_save() -> None:
    assert "CollectionConfig(name='gradients')" in RULE.unable(trial_of({LOSS: 1.0}))
    assert RULE.unable(trial_of({gradient(): noise(3)})) == ""
