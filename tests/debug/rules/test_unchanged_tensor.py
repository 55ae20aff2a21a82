import numpy as np
import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.registry import build
from sagehound.debug.rules.unchanged_tensor import UnchangedTensor
from sagehound.debug.store.records import Facts
from sagehound.errors import InvalidInput
from sagehound.testing.recorded_run import RecordedRun, info
from tests.debug.rules.recorded import LOSS, at_each_step, model_of, noise, output, tensors_found, trial_of, weight

RULE = UnchangedTensor()
SAME = {weight(): np.full((400, 400), 2.0)}


def changed(by: float) -> dict:
    array = np.full((400, 400), 2.0)
    array[-1, -1] += by
    return {weight(): array}


def test_the_same_at_three_steps_is_found() -> None:
    (found,) = at_each_step(RULE, trial_of(SAME, SAME, SAME))
    assert (found.tensor, found.step, found.numbers["since_step"]) == ("Net_fc.weight", 2, 0)
    assert "the same at 3 saved steps, since step 0 (within 1e-05 of its value + 1e-08)" in found.message


@pytest.mark.parametrize(("by", "times"), [(2.0005e-5, 1), (2.0015e-5, 0)])
def test_the_tolerance_is_that_of_allclose(by: float, times: int) -> None:
    """1e-8 + 1e-5 of 2: one element may differ by 2.001e-5."""
    assert len(at_each_step(RULE, trial_of(SAME, SAME, changed(by)))) == times


def test_the_first_of_the_steps_counts_too() -> None:
    assert at_each_step(RULE, trial_of(changed(1), SAME, SAME)) == []


def test_parameters_as_text() -> None:
    rule = build("UnchangedTensor", {"num_steps": "2", "rtol": "0.5", "tensor_regex": "fc", "equal_nan": "True"})
    assert [found.step for found in at_each_step(rule, trial_of(SAME, changed(0.9), changed(0.5)))] == [1, 2]
    nan = {weight(): np.full(3, np.nan)}
    assert len(at_each_step(rule, trial_of(nan, nan))) == 1
    assert at_each_step(UnchangedTensor(num_steps=2), trial_of(nan, nan)) == []


def test_without_a_choice_weights_and_losses() -> None:
    tensors = {**SAME, LOSS: 0.5, output(): noise(3), info("Net_fc.bias", "bias"): np.ones(3)}
    assert tensors_found(RULE, trial_of(tensors, tensors, tensors)) == ["Net_fc.weight", LOSS.name]


def test_a_frozen_weight_is_a_finding_only_by_its_name() -> None:
    for model in (
        model_of(frozen=["Net_fc.weight"]),
        model_of(optimized=["Net_head.weight"], frozen=["Net_fc.weight"]),
    ):
        trial = trial_of(SAME, SAME, SAME, model=model)
        assert at_each_step(RULE, trial) == []
        assert at_each_step(UnchangedTensor(collection_names=("weights",)), trial) == []
        assert len(at_each_step(UnchangedTensor(tensor_regex=("fc",)), trial)) == 1


def test_evaluation_and_steps_without_an_update_are_not_judged() -> None:
    run = RecordedRun()
    for mode in (ModeKeys.EVAL, ModeKeys.TRAIN):
        for _ in range(3):
            run.save(SAME, mode=mode, facts=Facts(optimizer_steps=0))
    trial = run.trial()
    assert at_each_step(RULE, trial) == []
    assert "at 3 steps of one mode" in RULE.unable(trial)


def test_reductions_must_be_equal_to_the_last_digit() -> None:
    tensor = weight(shape=(3,))
    same, other, weak = {tensor: {"l2": 1.5}}, {tensor: {"l2": 1.5 + 1e-15}}, {tensor: {"max": 1.5}}
    assert len(at_each_step(RULE, trial_of(same, same, same))) == 1
    assert at_each_step(RULE, trial_of(same, other, same)) == []
    assert at_each_step(RULE, trial_of(weak, weak, weak)) == []


def test_another_shape_is_a_change() -> None:
    steps = ({weight(): np.ones(n)} for n in (3, 4, 4))
    assert at_each_step(RULE, trial_of(*steps)) == []


def test_what_is_missing_is_named() -> None:
    assert RULE.unable(trial_of({output(): noise(3)})) == "neither weights nor losses were saved"
    assert "regex 'x'" in UnchangedTensor(tensor_regex=("x",)).unable(trial_of(SAME))
    assert RULE.unable(trial_of(SAME, SAME, SAME)) == ""


def test_one_step_is_nothing_to_compare() -> None:
    with pytest.raises(InvalidInput, match="num_steps is 1; at least 2"):
        build("UnchangedTensor", {"num_steps": "1"})
