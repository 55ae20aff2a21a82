import numpy as np
import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.registry import build
from sagehound.debug.rules.weight_update_ratio import WeightUpdateRatio
from sagehound.debug.store.records import Facts
from sagehound.errors import InvalidInput
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step, model_of, noise, trial_of, weight

RULE = WeightUpdateRatio()
ONES = np.ones((300, 300))


def grown(factor: float) -> dict:
    return {weight(): ONES * factor}


@pytest.mark.parametrize(("factor", "times"), [(10.9, 0), (11.1, 1), (1 + 1.1e-8, 0), (1 + 0.9e-8, 1), (1.0, 1)])
def test_outside_the_limits(factor: float, times: int) -> None:
    found = at_each_step(RULE, trial_of(grown(1), grown(factor)))
    assert len(found) == times
    assert all(one.step == 1 and one.numbers["ratio"] == pytest.approx(factor - 1, rel=1e-3) for one in found)


def test_the_message_has_ratio_and_limit() -> None:
    (found,) = at_each_step(RULE, trial_of(grown(1), grown(13)))
    assert found.message == "Net_fc.weight changed by 12 times its size since step 0; the limit is at most 10."


def test_num_steps_looks_further_back() -> None:
    steps = [grown(factor) for factor in (1, 2, 3, 4)]
    rule = build("WeightUpdateRatio", {"num_steps": "2", "large_threshold": "1.5"})
    found = at_each_step(rule, trial_of(*steps))
    assert [(one.step, one.numbers["ratio"]) for one in found] == [(2, pytest.approx(2))]


def test_num_steps_takes_no_step_further_away() -> None:
    run = RecordedRun()
    for _ in range(2):
        run.save(grown(1), skip=4)
    trial = run.trial()
    assert at_each_step(WeightUpdateRatio(num_steps=4), trial) == []
    assert "num_steps 4 apart" in WeightUpdateRatio(num_steps=4).unable(trial)
    assert len(at_each_step(WeightUpdateRatio(num_steps=5), trial)) == 1


def test_weights_that_are_meant_to_stay_are_left_out() -> None:
    for model in (model_of(frozen=["Net_fc.weight"]), model_of(optimized=["Net_head.weight"])):
        listed = {p.name for p in model.parameters}
        trial = trial_of(grown(1), grown(1), model=model)
        assert len(at_each_step(RULE, trial)) == (0 if "Net_fc.weight" in listed else 1)


def test_a_weight_that_began_at_zero_has_no_size() -> None:
    assert at_each_step(RULE, trial_of(grown(0), grown(1))) == []


def test_steps_without_an_update_between_are_not_compared() -> None:
    run = RecordedRun()
    run.save(grown(1), facts=Facts(optimizer_steps=4))
    run.save(grown(1), facts=Facts(optimizer_steps=4))
    run.save(grown(1), facts=Facts(optimizer_steps=5, learning_rates=(0.0,)))
    run.save(grown(1), facts=Facts(optimizer_steps=6, learning_rates=(0.1,)))
    assert [found.step for found in at_each_step(RULE, run.trial())] == [2]


def test_evaluation_is_not_compared() -> None:
    run = RecordedRun()
    run.save(grown(1), mode=ModeKeys.EVAL)
    run.save(grown(1), mode=ModeKeys.EVAL)
    run.save(grown(1), facts=Facts(grad_enabled=False))
    run.save(grown(1), facts=Facts(grad_enabled=False))
    assert at_each_step(RULE, run.trial()) == []


def test_nan_and_a_new_shape_and_nothing_are_not_judged() -> None:
    steps = ({weight(): value} for value in (noise(3, 3), noise(3, 3) * np.nan, noise(4, 3), noise(0, 3), noise(0, 3)))
    assert at_each_step(RULE, trial_of(*steps)) == []


def test_what_is_missing_is_named() -> None:
    assert "CollectionConfig(name='weights')" in RULE.unable(trial_of({LOSS: 1.0}))
    reduced = {weight(shape=(3,)): {"l2": 1.0}}
    assert "as values, at two training steps" in RULE.unable(trial_of(reduced, reduced))
    assert RULE.unable(trial_of(grown(1), grown(2))) == ""


def test_num_steps_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="num_steps is 0; at least 1"):
        build("WeightUpdateRatio", {"num_steps": "0"})
